//! Changes during requests: reloads, restarts, certificates, a configuration with errors.

use crate::common::http::Response;
use crate::common::namespace::Namespace;
use crate::common::{Process, Sandbox, command, run};
use crate::load::{Endpoint, Load, Question, Tally, autoconfig, everything, profile};
use crate::servers::{HTTP, nginx};
use crate::service::{Place, memory};
use crate::{Row, Size};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// How many clients send requests at the same time.
const CLIENTS: usize = 8;

/// The pause between two changes, for a few requests.
const BREATH: Duration = Duration::from_millis(10);

fn config(number: usize) -> String {
    format!("imap.host = 'imap{}.example.org'\n", number % 2)
}

pub fn reloads(size: Size) -> Row {
    let place = Place::new(&config(0));
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::start(&place.endpoint(), CLIENTS, everything);
    let count = size.of(1000, 100);
    for number in 0..count {
        place.configure(&config(number));
        place.reload(&service);
        thread::sleep(BREATH);
    }
    let tally = load.stop();
    let after = memory(&service, "VmRSS");
    let told = service.output().matches("configuration reloaded").count();
    // A regular check may have read the files first; a reload reads them nevertheless.
    assert!(told >= count, "{told} of {count} reloads");
    place.stop(service);
    Row { done: format!("{count} reloads, {CLIENTS} clients"), tally, memory: (before, after) }
}

pub fn restarts(size: Size) -> Row {
    let place = Place::new("");
    let mut service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::start(&place.endpoint(), CLIENTS, everything);
    let count = size.of(50, 10);
    for number in 0..count {
        thread::sleep(BREATH * 10);
        service = restart(&place, service, number);
    }
    let tally = load.stop();
    let after = memory(&service, "VmRSS");
    place.stop(service);
    let done = format!(
        "{count} restarts, {CLIENTS} clients; {} keepalive connections were closed while idle",
        tally.reconnected
    );
    Row { done, tally, memory: (before, after) }
}

/// As with systemd, the old process ends before the new one starts; or in the other order.
fn restart(place: &Place, service: Process, number: usize) -> Process {
    if number % 2 == 0 {
        place.stop(service);
        place.start()
    } else {
        let next = place.start();
        place.stop(service);
        next
    }
}

pub fn behind_nginx(size: Size) -> Row {
    let row = Mutex::new(None);
    Namespace::run(|world| {
        // The files of the service are in a folder that nginx's user may enter.
        let socket = PathBuf::from("/run/mailsetup.sock");
        let place = Place::at(Sandbox::new(), socket.clone(), &config(0));
        fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).expect("chmod");
        let mut service = place.start();
        let _nginx = nginx::vhost_alone(world);
        let before = memory(&service, "VmRSS");
        let load = Load::start(&Endpoint::Http(HTTP), CLIENTS, everything);
        let (restarts, reloads) = (size.of(50, 10), size.of(200, 20));
        for number in 0..restarts {
            for number in 0..reloads / restarts {
                thread::sleep(BREATH);
                place.configure(&config(number));
                place.reload(&service);
            }
            thread::sleep(BREATH * 10);
            service = restart(&place, service, number);
        }
        let tally = load.stop();
        let after = memory(&service, "VmRSS");
        place.stop(service);
        let done = format!("{restarts} restarts, {reloads} reloads, {CLIENTS} clients");
        *row.lock().expect("row") = Some(Row { done, tally, memory: (before, after) });
    });
    row.into_inner().expect("row").expect("a row")
}

/// A signed profile: CMS begins with a SEQUENCE, a plist with `<?xml`.
fn is_signed(answer: &Response) -> bool {
    answer.status == 200 && answer.body.starts_with(&[0x30, 0x82])
}

pub fn signed_profile() -> Question {
    Question { is_good: is_signed, ..profile() }
}

/// A self-signed certificate and its key, valid for `days` days.
pub fn certificate(sandbox: &Sandbox, name: &str, days: &str) {
    let (pem, key) = (sandbox.path(&format!("{name}.pem")), sandbox.path(&format!("{name}.key")));
    let mut openssl = command("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-subj", "/CN=test", "-days", days, "-keyout"]).arg(key);
    run(openssl.arg("-out").arg(pem));
}

pub const SIGNING: &str =
    "apple.signing_certificate = 'used.pem'\napple.signing_key = 'used.key'\n";

/// The same for a named domain: no other profile is signed.
pub fn signing() -> String {
    format!("{SIGNING}[domain.'example.org']\n")
}

pub fn certificates(size: Size) -> Row {
    let place = Place::new(&signing());
    for number in 0..4 {
        certificate(&place.sandbox, &number.to_string(), "30");
    }
    // One file after the other, as ACME clients write them.
    let swap = |number: usize| {
        for kind in ["pem", "key"] {
            let pair = place.sandbox.path(&format!("{}.{kind}", number % 4));
            fs::copy(pair, place.sandbox.path(&format!("next.{kind}"))).expect("copy");
            let used = place.sandbox.path(&format!("used.{kind}"));
            fs::rename(place.sandbox.path(&format!("next.{kind}")), used).expect("rename");
            thread::sleep(BREATH);
        }
    };
    swap(0);
    let service = place.start();
    // The pair is read for the first profile: from then on there is a last valid one.
    let mut first = Tally::default();
    first.ask(&place.endpoint(), &signed_profile());
    let before = memory(&service, "VmRSS");
    let load = Load::start(&place.endpoint(), CLIENTS, || vec![signed_profile()]);
    let count = size.of(500, 50);
    for number in 1..=count {
        swap(number);
        // Occasionally a pair is left for long enough to be used.
        if number % (count / 5) == 0 {
            thread::sleep(Duration::from_millis(2500));
        }
    }
    let mut tally = load.stop();
    tally.add(first);
    let after = memory(&service, "VmRSS");
    place.stop(service);
    let done = format!("{count} swaps of certificate and key, {CLIENTS} clients, all signed");
    Row { done, tally, memory: (before, after) }
}

pub fn broken_configuration(size: Size) -> Row {
    let place = Place::new(&config(0));
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::start(&place.endpoint(), CLIENTS, everything);
    let count = size.of(500, 50);
    for number in 0..count {
        for text in [&*config(number), "imap.port = 0\n", "[imap", "\0", "no_such_key = 1\n"] {
            place.configure(text);
            place.reload(&service);
        }
        fs::remove_file(place.sandbox.path("c.toml")).expect("remove");
        place.reload(&service);
    }
    // Also without a signal: a change is noticed within a few seconds.
    for text in ["[imap", "imap.host = 'mended.example.org'\n"] {
        place.configure(text);
        thread::sleep(Duration::from_secs(3));
    }
    let mended = Question {
        is_good: |answer| answer.text().contains("<hostname>mended.example.org<"),
        ..autoconfig()
    };
    let mut last = Tally::default();
    last.ask(&place.endpoint(), &mended);
    let mut tally = load.stop();
    tally.add(last);
    let after = memory(&service, "VmRSS");
    let output = service.output();
    let stayed = output.matches("keeping the previous one").count();
    assert!(stayed >= count * 5, "{stayed} complaints for {} broken files", count * 5);
    place.stop(service);
    let done = format!(
        "{count} times with an error of one of five kinds, then corrected, {CLIENTS} clients"
    );
    Row { done, tally, memory: (before, after) }
}
