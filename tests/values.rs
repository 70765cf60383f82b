//! Values of the configuration and of the command line: what is refused, with what message, and
//! what is taken.

use crate::common::{command, program};
use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check};
use mailsetup::finding::Finding;
use std::path::Path;

fn load(text: &str) -> Result<Config, Vec<Finding>> {
    check::text(Path::new("c.toml"), text, &CHECKS)
}

/// A configuration is refused at one place, with this code and a message that contains `message`.
fn assert_refused(text: &str, code: &str, message: &str) {
    let findings = load(text).err().unwrap_or_default();
    let [finding] = &findings[..] else { panic!("{text}: {findings:?}") };
    assert_eq!(finding.code, code, "{text}");
    assert!(finding.message.contains(message), "{text}: {}", finding.message);
}

/// `127.1` is 127.0.0.1 for most programs, `10.0.0.256` is nothing, and `xn--a.b` has no letters;
/// they were taken for names, also in URLs and by `dns`.
#[test]
fn what_programs_take_for_another_host_is_refused() {
    let hosts = [
        "127.1",
        "10.0.0.256",
        "010.0.0.1",
        "1.2.3.0x4",
        "0x7f000001",
        "mail.example.5",
        "xn--a.b",
        "xn--.example",
    ];
    for host in hosts {
        let expected = format!("`{host}` is not a host name; expected for example");
        assert_refused(&format!("imap.host = '{host}'\n"), "host-name", &expected);
        let alternative = format!("imap.alternatives = [{{ host = '{host}' }}]\n");
        assert_refused(&alternative, "host-name", &expected);
        let url = format!("caldav.url = 'https://{host}/x'\n");
        assert_refused(&url, "url", "is not an https URL");
        for option in ["--web-host", "--autodiscover-srv"] {
            let output = command(program()).args(["dns", "example.org", option, host]).output();
            let output = output.expect("program");
            assert_eq!(output.status.code(), Some(2), "{option} {host}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(&format!("{option}: {host} is not a host name")), "{said}");
            assert!(said.contains("expected for example"), "{said}");
        }
    }
    for host in ["192.0.2.1", "localhost", "xn--bcher-kva", "5.example", "mail.example.x5"] {
        assert!(load(&format!("imap.host = '{host}'\n")).is_ok(), "{host}");
    }
}
