//! `mailsetup hook`: the printed files are those of contrib with the given values, and values that a
//! file cannot contain are refused. `conformance.rs` runs the printed files in web servers.

use crate::common::{Sandbox, command, program, run, source};
use clap::ValueEnum;
use mailsetup::cli::FrontEnd;
use std::fs;
use std::io::Read;
use std::process::{Output, Stdio};

/// Each file that can be printed, and its file of contrib.
const FILES: [(&str, &str); 20] = [
    ("nginx", "nginx/mailsetup.conf"),
    ("nginx-vhost", "nginx/vhost.conf"),
    ("nginx-many", "nginx/vhost-many.conf"),
    ("nginx-fcgiwrap", "nginx/fcgiwrap.conf"),
    ("apache", "apache/mailsetup-proxy_fcgi.conf"),
    ("apache-vhost", "apache/vhost.conf"),
    ("apache-fcgid", "apache/mailsetup-fcgid.conf"),
    ("apache-cgi", "apache/mailsetup-cgid.conf"),
    ("htaccess", "apache/htaccess"),
    ("lighttpd", "lighttpd/50-mailsetup-fastcgi.conf"),
    ("lighttpd-cgi", "lighttpd/51-mailsetup-cgi.conf"),
    ("caddy", "caddy/mailsetup.caddy"),
    ("caddy-vhost", "caddy/vhost.caddy"),
    ("caddy-on-demand", "caddy/on-demand.caddy"),
    ("haproxy", "haproxy/mailsetup.cfg"),
    ("haproxy-http", "haproxy/mailsetup-http.cfg"),
    ("h2o", "h2o/mailsetup.conf"),
    ("systemd-socket", "systemd/mailsetup.socket"),
    ("systemd-service", "systemd/mailsetup.service"),
    ("systemd-http", "systemd/mailsetup-http.service"),
];

/// A value for each option, and the texts of contrib that it replaces everywhere.
const VALUES: [(&str, &str, &[&str]); 8] = [
    ("--program", "/opt/mail/bin/mailsetup", &["/usr/bin/mailsetup"]),
    ("--cgi-bin", "/srv/cgi", &["/usr/lib/cgi-bin"]),
    ("--certificate", "/srv/tls/cert.pem", &["/etc/ssl/certs/mailsetup.pem"]),
    ("--key", "/srv/tls/key.pem", &["/etc/ssl/private/mailsetup.key"]),
    ("--user", "web_1", &["SocketUser=www-data", "SocketUser=haproxy"]),
    (
        "--group",
        "web-2",
        &["roup=www-data", "group=caddy", "group=haproxy", "to caddy", "debian-h2o"],
    ),
    ("--domains", "example.net", &["example.org", "_name autoconfig.*", "Alias autoconfig.*"]),
    ("--socket", "", &["/run/mailsetup.sock", "/run/fcgiwrap.socket", "127.0.0.1:8025"]),
];

fn hook(arguments: &[&str]) -> Output {
    let mut command = command(program());
    // Not the configuration of this machine.
    command.env_remove("MAILSETUP_CONFIG").env("MAILSETUP_TOML", "#").arg("hook").args(arguments);
    command.output().expect("the program")
}

fn printed(arguments: &[&str]) -> String {
    let output = hook(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Standard error, with nothing on standard output.
fn refused(arguments: &[&str]) -> String {
    let output = hook(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn contrib(file: &str) -> String {
    fs::read_to_string(source("contrib").join(file)).expect(file)
}

/// Every file for a web server or systemd can be printed.
#[test]
fn the_list_has_all_files_of_contrib() {
    let names = FrontEnd::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<_> = names.map(|name| name.get_name().to_owned()).collect();
    assert_eq!(names, FILES.map(|(name, _)| name));
    for folder in ["apache", "caddy", "h2o", "haproxy", "lighttpd", "nginx", "systemd"] {
        for entry in fs::read_dir(source("contrib").join(folder)).expect("folder") {
            let file = entry.expect("directory entry").file_name().into_string().expect("UTF-8");
            let file = format!("{folder}/{file}");
            assert!(FILES.iter().any(|(_, path)| *path == file), "{file} cannot be printed");
        }
    }
}

#[test]
fn without_options_the_file_is_that_of_contrib_with_the_path_of_the_program() {
    let own = program().canonicalize().expect("a path");
    for (name, file) in FILES {
        let expected = contrib(file).replace("/usr/bin/mailsetup", own.to_str().expect("UTF-8"));
        assert_eq!(printed(&[name]), expected, "{name}");
    }
}

/// Every place is filled in; an option for which a file has no place is refused.
#[test]
fn each_option_is_used_or_refused() {
    let mut uses = 0;
    for (name, file) in FILES {
        for (option, value, texts) in VALUES {
            let sockets = ["unix:/run/m/a.sock", "127.0.0.2:9000"];
            let values = if value.is_empty() { &sockets[..] } else { &[value][..] };
            let mut is_used = false;
            for value in values {
                let output = hook(&[name, option, value]);
                if !output.status.success() {
                    continue;
                }
                is_used = true;
                let text = String::from_utf8(output.stdout).expect("UTF-8");
                let value = value.trim_start_matches("unix:");
                assert!(text.contains(value) || text.contains("9000"), "{name} {option}:\n{text}");
                let is_http = text.contains("serve --http");
                for left in texts.iter().filter(|left| !is_http || !left.starts_with("/run")) {
                    assert!(!text.contains(left), "{name} {option} leaves {left}:\n{text}");
                }
            }
            let has_place = texts.iter().any(|place| contrib(file).contains(place));
            // Whoever wants another socket than that of the unit changes the socket unit, and
            // fcgiwrap has its own.
            let is_other = option == "--socket" && ["systemd-service"].contains(&name)
                || option == "--group" && name == "nginx-fcgiwrap";
            assert!(is_used == has_place || is_other, "{name} {option}: {is_used}");
            uses += usize::from(is_used);
        }
    }
    assert!(uses > 50, "{uses}");
}

#[test]
fn domains_come_from_the_command_line_or_the_configuration() {
    let text =
        printed(&["nginx-vhost", "--domains", "a.example,BÜCHER.example.", "--domains=a.example"]);
    let names = "server_name autoconfig.a.example autodiscover.a.example ua-auto-config.a.example
        autoconfig.xn--bcher-kva.example autodiscover.xn--bcher-kva.example ua-auto-config.xn--bcher-kva.example;";
    assert!(text.contains(names), "{text}");
    let text = printed(&["apache-vhost", "--domains", "a.example,b.example"]);
    assert_eq!(text.matches("ServerName autoconfig.a.example\n").count(), 2, "{text}");
    assert_eq!(text.matches("ServerAlias autoconfig.b.example ").count(), 2, "{text}");

    let sandbox = Sandbox::new();
    let with = |config: &str, arguments: &[&str]| {
        let config = sandbox.write("config.toml", config);
        let mut hook = command(program());
        hook.arg("--config").arg(config).arg("hook").args(arguments).output().expect("the program")
    };
    let named = "[domain.'a.example']\n[domain.'b.example']\n";
    for file in ["nginx-vhost", "apache-vhost", "caddy-vhost", "h2o"] {
        let output = with(named, &[file]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("autoconfig.a.example") && text.contains("autodiscover.b.example"));
        assert!(!text.contains("example.org"), "{text}");
        let remark = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(remark.contains("the file has 2 domains of the configuration"), "{remark}");
    }
    let any = format!("domains.answer = \"any\"\n{named}");
    for (config, arguments) in
        [(&*any, &["nginx-vhost"][..]), (named, &["nginx-vhost", "--domains", "*"])]
    {
        let output = with(config, arguments);
        assert!(output.stderr.is_empty(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), contrib("nginx/vhost.conf"));
    }
    // A file without host names does not need the configuration.
    assert!(with("mistake", &["nginx"]).status.success());
    let output = with("mistake", &["nginx-vhost"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    assert!(with("mistake", &["nginx-vhost", "--domains", "a.example"]).status.success());
    // Its host names would be longer than a name can be.
    let long = format!("{}.example", ["a".repeat(60).as_str(); 4].join("."));
    let output = with(&format!("[domain.'{long}']\n[domain.'a.example']\n"), &["h2o"]);
    assert!(output.status.success() && !output.stdout.is_empty());
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&long));
    assert!(String::from_utf8_lossy(&output.stderr).contains("left out"), "{output:?}");
}

/// ProtectHome and PrivateTmp hide these folders; a port below 1024 needs a capability.
#[test]
fn what_a_unit_cannot_use_is_told() {
    for (arguments, path) in [
        (&["--program", "/home/u/mailsetup"][..], "/home/u/mailsetup"),
        (&["--program", "/opt/m", "--config", "/root/c.toml"], "/root/c.toml"),
    ] {
        let output = hook(&[&["systemd-service"], arguments].concat());
        let remark = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && remark.contains(&format!("cannot read {path}")),
            "{remark}"
        );
    }
    assert!(hook(&["systemd-service", "--program=/opt/m"]).stderr.is_empty());
    for socket in ["127.0.0.1:80", "192.0.2.1:1023"] {
        let message = refused(&["systemd-http", "--socket", socket]);
        assert!(message.contains("use a port from 1024"), "{message}");
        printed(&["haproxy-http", "--socket", socket]);
    }
    let text = printed(&["systemd-http", "--socket", "[::ffff:127.0.0.1]:8025"]);
    assert!(text.contains("\nIPAddressDeny=any\n"), "{text}");
}

/// Caddy has no form for any domain: the domains that are named are better than none.
#[test]
fn a_file_without_a_form_for_any_domain_has_the_named_ones() {
    let sandbox = Sandbox::new();
    let text = "domains.answer = \"any\"\n[domain.'a.example']\n";
    let config = sandbox.write("c.toml", text);
    let config = config.to_str().expect("UTF-8");
    assert!(printed(&["caddy-vhost", "--config", config]).contains("autoconfig.a.example"));
    assert!(printed(&["nginx-vhost", "--config", config]).contains("server_name autoconfig.*"));
    assert!(refused(&["caddy-vhost", "--domains", "*"]).contains("no form for any domain"));
}

#[test]
fn units_name_the_configuration_of_the_command_line() {
    for (name, command) in
        [("systemd-service", ""), ("systemd-http", " serve --http 127.0.0.1:8025")]
    {
        let text = printed(&[name, "--program", "/opt/m", "--config", "/srv/m.toml"]);
        let start = format!("\nExecStart=/opt/m --config /srv/m.toml{command}\n");
        assert!(text.contains(&start), "{text}");
        assert!(refused(&[name, "--config", "m.toml"]).contains("--config: m.toml cannot be used"));
    }
    let mut by_variable = command(program());
    by_variable.env("MAILSETUP_CONFIG", "/srv/v.toml").args(["hook", "systemd-service"]);
    let output = by_variable.output().expect("the program");
    assert!(String::from_utf8_lossy(&output.stdout).contains(" --config /srv/v.toml\n"));
    let text = printed(&["systemd-http", "--socket", "192.0.2.1:8025"]);
    assert!(!text.contains("loopback") && !text.contains("\nIPAddress"), "{text}");
}

/// Without `[Install]`, `systemctl enable --now` starts a unit, but the next boot does not.
#[test]
fn units_that_the_admin_enables_are_started_at_boot() {
    for name in ["systemd-socket", "systemd-http"] {
        let unit = printed(&[name]);
        assert!(unit.contains("systemctl enable --now"), "{unit}");
        assert!(unit.contains("\n[Install]\nWantedBy="), "{unit}");
    }
    // At boot, an address may be there later than the service.
    assert!(printed(&["systemd-http"]).contains("\nStartLimitIntervalSec=0\n"));
}

/// No value needs quotes in any of the files.
#[test]
fn values_that_a_file_would_interpret_are_refused() {
    for path in [
        "/a b",
        "/a\"b",
        "/a'b",
        "/a\nb",
        "/a\tb",
        "/a$b",
        "/a;b",
        "/a{b}",
        "/a#b",
        "/a\\b",
        "/a%b",
        "/a|b",
        "/a,b",
        "/a:b",
        "/a*b",
        "/a~b",
        "/a=b",
        "/a\u{202e}b",
        "a/b",
        "./a",
        "/",
        "/a/",
    ] {
        for (name, option) in [
            ("nginx-vhost", "--certificate"),
            ("apache-vhost", "--key"),
            ("apache-cgi", "--cgi-bin"),
            ("systemd-service", "--program"),
        ] {
            let message = refused(&[name, &format!("{option}={path}")]);
            assert!(message.contains(option), "{path:?}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        refused(&["nginx", &format!("--socket=unix:{path}")]);
    }
    let long = format!("/{}", "a".repeat(4000));
    assert!(refused(&["nginx-vhost", "--key", &long]).contains("longer than 4000 bytes"));
    let limits = [("nginx", 107), ("systemd-socket", 107), ("haproxy", 91), ("apache", 95)];
    for (file, longest) in limits.into_iter().chain([("apache-vhost", 95), ("lighttpd", 105)]) {
        let socket = |len: usize| format!("unix:/{}", "s".repeat(len - 1));
        assert!(printed(&[file, "--socket", &socket(longest)]).contains("sssss"));
        refused(&[file, "--socket", &socket(longest + 1)]);
    }
    for socket in ["0.0.0.0:9000", "[::]:9000", "127.0.0.1:0", "localhost:9000", "/run/a.sock", ""]
    {
        refused(&["nginx", "--socket", socket]);
    }
    assert!(refused(&["haproxy-http", "--socket", "unix:/run/a"]).contains("because this is HTTP"));
    assert!(refused(&["systemd-socket", "--socket", "127.0.0.1:9000"]).contains("unix:PATH"));
    for name in ["", "a b", "-a", "a\n", "a;b", "ä", "a/b", &"a".repeat(33)] {
        refused(&["systemd-socket", &format!("--group={name}")]);
        refused(&["systemd-socket", &format!("--user={name}")]);
    }
    for domains in ["", "a.example,", ",", "org", "a b.example", "*", "a.example,*", "<b>.example"]
    {
        refused(&["caddy-vhost", &format!("--domains={domains}")]);
    }
    let long = format!("{}.example", ["a".repeat(60).as_str(); 4].join("."));
    assert!(refused(&["h2o", "--domains", &long]).contains("is too long"));
}

/// Nothing that is filled in is searched for places again.
#[test]
fn values_may_look_like_the_texts_of_the_file() {
    let text = printed(&[
        "nginx-vhost",
        "--domains=example.org.example.org",
        "--certificate=/etc/ssl/private/mailsetup.key",
        "--key=/etc/ssl/certs/mailsetup.pem",
        "--socket=unix:/run/mailsetup.sock/run/mailsetup.sock",
    ]);
    assert!(text.contains("server unix:/run/mailsetup.sock/run/mailsetup.sock;"), "{text}");
    assert!(text.contains("ssl_certificate     /etc/ssl/private/mailsetup.key;"), "{text}");
    assert!(text.contains("ssl_certificate_key /etc/ssl/certs/mailsetup.pem;"), "{text}");
    assert!(text.contains("server_name autoconfig.example.org.example.org "), "{text}");
}

#[test]
fn many_domains_and_a_reader_that_ends() {
    let list: Vec<_> = (0..5000).map(|at| format!("d{at}.example")).collect();
    let argument = format!("--domains={}", list.join(","));
    let text = printed(&["h2o", &argument]);
    assert_eq!(text.matches(": *mailsetup\n").count(), 3 * 5000 - 1);
    let mut child = command(program());
    let child =
        child.args(["hook", "h2o", &argument]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().expect("the program");
    let mut start = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut start).expect("the start");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let status = command(program()).args(["hook", "nginx"]).stdout(full).status().expect("status");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn help_names_each_file() {
    let help = run(command(program()).args(["hook", "--help"]));
    for (name, _) in FILES {
        assert!(help.contains(&format!("- {name}:")), "{name}: {help}");
    }
}
