//! Servers that mean harm: the program ends in time, with little memory, and says what it left out.

use std::io::Write;
use std::net::UdpSocket;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use crate::findings::in_worlds;
use crate::net::SILENT;
use crate::scripted::{noise, read_request};
use crate::shapes;
use crate::web::Host;
use crate::world::{Scene, World};

/// The time that the program is given, and how late it may be.
const TIME: &str = "5";
const LATEST: Duration = Duration::from_secs(6);

/// The largest amount of memory, in KiB.
const MEMORY: u64 = 64 * 1024;

/// Addresses of hostile servers.
const GARBAGE: &str = "192.0.2.40";
const ENDLESS: &str = "192.0.2.41";
const DRIP: &str = "192.0.2.42";
const LIAR: &str = "192.0.2.43";

/// What is hostile, and how it is planted.
const HOSTILE: [(&str, fn(&mut Scene)); 14] = [
    ("a body without an end", |scene| backend(scene, 9001)),
    ("a body of one byte a second", |scene| backend(scene, 9002)),
    ("a header without an end", |scene| backend(scene, 9003)),
    ("redirects without an end", |scene| {
        every_host(scene, "return 302 $scheme://$host$request_uri/again;\n");
    }),
    ("redirects to a host that does not answer", |scene| {
        every_host(scene, "return 302 https://silent.example.org$request_uri;\n");
        scene.zone.add("silent.example.org", "A", SILENT);
    }),
    ("garbage where TLS should be", |scene| every_name(scene, GARBAGE)),
    ("bytes without an end where TLS should be", |scene| every_name(scene, ENDLESS)),
    ("one byte a second where TLS should be", |scene| every_name(scene, DRIP)),
    ("elements within elements", |scene| {
        let deep = "<a>".repeat(900);
        let line = format!("types {{ }}\ndefault_type text/xml;\nreturn 200 '{deep}';\n");
        every_host(scene, &line);
    }),
    ("a hundred addresses that do not answer", |scene| {
        for name in NAMES {
            scene.zone.set(name, "A", SILENT);
            for last in 100..200 {
                scene.zone.add(name, "A", &format!("198.51.100.{last}"));
            }
        }
    }),
    ("CNAME records without an end", |scene| {
        for name in NAMES {
            scene.zone.set(name, "CNAME", "c0.example.org.");
        }
        for at in 0..200 {
            let (from, to) = (format!("c{at}.example.org"), format!("c{}.example.org.", at + 1));
            scene.zone.set(&from, "CNAME", &to);
        }
    }),
    ("hundreds of SRV and MX records", |scene| {
        for at in 0..300 {
            let host = format!("h{at}.example.org");
            scene.zone.add(&host, "A", SILENT);
            scene.zone.add("_imaps._tcp.example.org", "SRV", &format!("0 0 993 {host}."));
            scene.zone.add("_submissions._tcp.example.org", "SRV", &format!("0 0 465 {host}."));
            scene.zone.add("example.org", "MX", &format!("10 {host}."));
        }
    }),
    ("a DNS server that answers with garbage", |scene| scene.dns = LIAR),
    ("a DNS server that does not answer", |scene| scene.dns = SILENT),
];

/// The names that the program asks a web server by.
const NAMES: [&str; 3] =
    ["autoconfig.example.org", "autodiscover.example.org", "ua-auto-config.example.org"];

#[test]
fn hostile_servers_cost_little() {
    let complaints = in_worlds(HOSTILE, |world, (name, plant)| {
        servers();
        let mut scene = shapes::own(world);
        plant(&mut scene);
        scene.arguments = vec!["--timeout", TIME];
        check(world, name, &scene)
    });
    assert!(complaints.is_empty(), "\n{}", complaints.concat());
}

fn check(world: &mut World, name: &str, scene: &Scene) -> Vec<String> {
    world.publish(scene);
    let said = world.probe(scene);
    let seconds = said.took.as_secs_f32();
    println!("{name}: {seconds:.1} s, {} MiB, status {:?}", said.memory / 1024, said.status);
    let mut complaints = Vec::new();
    if said.took > LATEST {
        complaints.push(format!("{name}: {seconds} s\n"));
    }
    if said.memory > MEMORY || said.memory == 0 {
        complaints.push(format!("{name}: {} KiB\n", said.memory));
    }
    // Either there are findings, or it says why there is no report.
    let is_silent = match said.status {
        Some(1) => said.json["findings"].as_array().is_none_or(Vec::is_empty),
        Some(2) => said.stderr.is_empty(),
        _ => true,
    };
    if is_silent {
        complaints.push(format!("{name}: nothing is said\n"));
    }
    complaints
}

/// Starts the servers that are hostile, once in each world.
fn servers() {
    thread_local!(static STARTED: Once = const { Once::new() });
    STARTED.with(|started| started.call_once(start));
}

fn start() {
    noise("127.0.0.1", 9001, |stream| {
        read_request(stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n")?;
        loop {
            stream.write_all(&[b'<'; 4096])?;
        }
    });
    noise("127.0.0.1", 9002, |stream| {
        read_request(stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n")?;
        loop {
            stream.write_all(b"<")?;
            thread::sleep(Duration::from_secs(1));
        }
    });
    noise("127.0.0.1", 9003, |stream| {
        read_request(stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\n")?;
        loop {
            stream.write_all(b"X-More: more\r\n")?;
        }
    });
    for port in [80, 443, 993, 465, 995, 4190] {
        noise(GARBAGE, port, |stream| {
            stream.write_all(&[0x16, 3, 3, 0xff, 0xff, 0x55, 0, 1])?;
            stream.write_all(&[0xa5; 300])
        });
        noise(ENDLESS, port, |stream| {
            loop {
                stream.write_all(&[b'y'; 4096])?;
            }
        });
        noise(DRIP, port, |stream| {
            loop {
                stream.write_all(b"\x16")?;
                thread::sleep(Duration::from_secs(1));
            }
        });
    }
    let socket = UdpSocket::bind((LIAR, 53)).expect("a socket");
    thread::spawn(move || {
        let mut question = [0; 512];
        let mut count = 0_u8;
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            // The question again with a flag, an answer that points at itself, or noise.
            count = count.wrapping_add(1);
            let mut answer = question[..length.max(12)].to_vec();
            answer[2] |= 0x80;
            answer[7] = 1;
            match count % 3 {
                0 => answer.extend([0xc0, 0x0c, 0xc0]),
                1 => {
                    let at = u8::try_from(answer.len()).unwrap_or(12);
                    answer.extend([0xc0, at, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 1, 1, 1]);
                }
                _ => answer.extend([0xa5; 400]),
            }
            let _ = socket.send_to(&answer, from);
        }
    });
}

fn every_host(scene: &mut Scene, directives: &str) {
    for host in scene.hosts.iter_mut().filter(|host: &&mut Host| host.name.ends_with("example.org"))
    {
        host.does(directives);
    }
}

/// Every host asks this port of a server that means harm.
fn backend(scene: &mut Scene, port: u16) {
    let line = format!(
        "location / {{ proxy_pass http://127.0.0.1:{port}; proxy_buffering off; \
         proxy_read_timeout 60s; }}\n"
    );
    every_host(scene, &line);
}

/// All servers are at this address.
fn every_name(scene: &mut Scene, address: &str) {
    for name in NAMES.into_iter().chain(["imap.example.org", "pop.example.org", "smtp.example.org"])
    {
        scene.zone.set(name, "A", address);
    }
}
