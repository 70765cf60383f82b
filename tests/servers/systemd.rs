//! The unit pair: what can be told about it without being the system's first process.

use crate::common::namespace::Namespace;
use crate::common::{command, run};

use super::install;

const SERVICE: &str = "/etc/systemd/system/mailsetup.service";
const SOCKET: &str = "/etc/systemd/system/mailsetup.socket";

#[test]
fn units_are_clean() {
    Namespace::run(|_world| {
        install("systemd/mailsetup.service", SERVICE);
        install("systemd/mailsetup.socket", SOCKET);
        // Manual pages are installed by others; units of this machine are not ours to judge.
        let verify = ["verify", "--man=no", SERVICE, SOCKET];
        let findings = run(command("systemd-analyze").args(verify));
        assert!(!findings.contains("mailsetup"), "{findings}");
    });
}

#[test]
fn service_has_no_privileges() {
    Namespace::run(|_world| {
        install("systemd/mailsetup.service", SERVICE);
        // The scale ends at 100, which is a service that may do everything.
        let security = ["security", "--offline=true", "--threshold=3", SERVICE];
        let report = run(command("systemd-analyze").args(security));
        assert!(report.contains("Overall exposure level"), "{report}");
    });
}
