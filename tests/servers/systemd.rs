//! The units: checks that do not need systemd as the first process.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{command, confined, run, source, write};

use super::install;

const SERVICE: &str = "/etc/systemd/system/mailsetup.service";
const SOCKET: &str = "/etc/systemd/system/mailsetup.socket";
const OVER_HTTP: &str = "/etc/systemd/system/mailsetup-http.service";

/// The servers of contrib that answer with logins.
const SOCKETMAPS: [(&str, &str); 2] = [
    ("socketmap/socketmap-sqlite.service", "/etc/systemd/system/socketmap-sqlite.service"),
    ("socketmap/socketmap-ldap.service", "/etc/systemd/system/socketmap-ldap.service"),
];

#[test]
fn units_are_clean() {
    Namespace::run(|_world| {
        install("systemd/mailsetup.service", SERVICE);
        install("systemd/mailsetup.socket", SOCKET);
        install("systemd/mailsetup-http.service", OVER_HTTP);
        // Manual pages are installed elsewhere; other units of this machine are not checked.
        let verify = ["verify", "--man=no", SERVICE, SOCKET, OVER_HTTP];
        let findings = run(command("systemd-analyze").args(verify));
        assert!(!findings.contains("mailsetup"), "{findings}");
        for (contrib, path) in SOCKETMAPS {
            install(contrib, path);
            let findings = run(command("systemd-analyze").args(["verify", "--man=no", path]));
            assert!(!findings.contains("socketmap"), "{findings}");
        }
    });
}

/// The line for a source of logins that docs/logins.md tells to write is the one that the units have
/// as a comment. `make test-docs` tries it with all other lines in force.
#[test]
fn units_have_a_line_for_sources_of_logins() {
    let page = std::fs::read_to_string(source("docs/logins.md")).expect("docs/logins.md");
    let (_, rest) = page.split_once("printf '[Service]\\n").expect("a command");
    let line = rest.split_once("\\n").expect("a line").0;
    Namespace::run(|_world| {
        for (contrib, path) in
            [("systemd/mailsetup.service", SERVICE), ("systemd/mailsetup-http.service", OVER_HTTP)]
        {
            install("systemd/mailsetup.socket", SOCKET);
            let unit = super::contrib(contrib);
            let with_line = unit.replace(&format!("\n#{line}\n"), &format!("\n{line}\n"));
            assert_ne!(with_line, unit, "{contrib} lacks #{line}");
            write(Path::new(path), with_line);
            let findings = run(command("systemd-analyze").args(["verify", "--man=no", path]));
            assert!(!findings.contains("mailsetup"), "{findings}");
        }
    });
}

/// The same units as `mailsetup hook` prints them with other values.
#[test]
fn printed_units_are_clean() {
    let config = "--config=/srv/mail-clients/config.toml";
    let program = "--program=/usr/bin/mailsetup";
    Namespace::run(|_world| {
        let print = |name: &str, path: &str, options: &[&str]| {
            write(Path::new(path), run(command(PROGRAM).args(["hook", name]).args(options)));
        };
        let path = "--socket=unix:/run/mail-clients/a+b@c.sock";
        print("systemd-socket", SOCKET, &[path, "--user=root", "--group=1"]);
        print("systemd-service", SERVICE, &[program, config]);
        for address in ["--socket=[::1]:9025", "--socket=192.0.2.1:9025"] {
            print("systemd-http", OVER_HTTP, &[address, program, config]);
            let verify = ["verify", "--man=no", SERVICE, SOCKET, OVER_HTTP];
            let findings = run(command("systemd-analyze").args(verify));
            assert!(!findings.contains("mailsetup"), "{findings}");
        }
    });
}

#[test]
fn service_has_no_privileges() {
    Namespace::run(|_world| {
        for (contrib, path, threshold) in [
            ("systemd/mailsetup.service", SERVICE, "3"),
            ("systemd/mailsetup-http.service", OVER_HTTP, "10"),
            (SOCKETMAPS[0].0, SOCKETMAPS[0].1, "25"),
            (SOCKETMAPS[1].0, SOCKETMAPS[1].1, "30"),
        ] {
            install(contrib, path);
            // The scale ends at 100, which is a service without restrictions.
            let threshold = format!("--threshold={threshold}");
            let security = ["security", "--offline=true", &threshold, path];
            let report = run(command("systemd-analyze").args(security));
            assert!(report.contains("Overall exposure level"), "{report}");
        }
    });
}

/// The conformance suite relies on this: a forbidden call ends the program, however it handles
/// errors.
#[test]
fn confined_programs_end_at_what_the_unit_forbids() {
    let shell = |script: &str| {
        let mut command = command("env");
        command.args(confined(Path::new("/bin/sh"))).args(["-c", script]);
        command.status().expect("python3, of the package python3-seccomp")
    };
    let nothing_forbidden = shell("read line </etc/hostname; exit 7");
    assert_eq!(nothing_forbidden.code(), Some(7), "{nothing_forbidden}");
    for script in [
        ": >/dev/full",
        "exec ip link",
        "exec mount -t tmpfs none /mnt",
        "exec chown 0:0 /etc/hostname",
        "exec nice -n 1 true",
    ] {
        let status = shell(script);
        assert_eq!(status.signal(), Some(Signal::SIGSYS as i32), "{script}: {status}");
    }
}
