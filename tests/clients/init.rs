//! On the mail host of a guide, with two virtual domains in SQL: `mailsetup init`, `serve`, and the
//! clients set themselves up with what it wrote, and log in.
//!
//! `make test-init` creates the mail hosts and runs this.

use crate::account::{self, AccountServer};
use crate::common::run;
use crate::delta_chat::{self, as_told};
use crate::machine::{MAILBOXES, Machine};
use crate::thunderbird::{Thunderbird, servers};
use serde_json::Value;

/// The servers that `mailsetup show` prints.
fn shown(machine: &Machine, address: &str) -> Vec<AccountServer> {
    let document = run(&mut machine.mailsetup(&["show", "--client", "thunderbird", address]));
    account::servers(&document, address)
}

fn moves_in(release: &str) {
    Machine::run(release, |machine| {
        machine.write("etc/mailsetup/config.toml", "imap.host='mail.example.org'\nsmtp.host='mail.example.org'\npop3.enabled=false\nsmtp.port=465\n[domains]\nlist_files=['domains']\n");
        machine.write("etc/mailsetup/domains", "example.org\nexample.net\n");
        machine.answer();
        let mut thunderbird = Thunderbird::start(machine.sandbox);
        for (_, address) in MAILBOXES {
            let wanted = shown(machine, address);
            let found = thunderbird.set_up(address, false);
            assert_eq!(found["error"], Value::Null, "{found:#}");
            assert_eq!(found["source"], "xml-from-isp-https", "{found:#}");
            assert_eq!(servers(&found), wanted);
            machine.expect_logins(address);
            machine.expect_message(address);
        }
        drop(thunderbird);
        for (_, address) in MAILBOXES {
            machine.forget();
            let used = delta_chat::set_up(machine.sandbox, address);
            for server in shown(machine, address) {
                delta_chat::expect_use(&used, &server, as_told);
            }
            machine.expect_logins(address);
        }
    });
}

#[test]
#[ignore = "make test-init installs what it needs"]
fn debian_12_with_dovecot_2_3() {
    moves_in("bookworm");
}

#[test]
#[ignore = "make test-init installs what it needs"]
fn debian_13_with_dovecot_2_4() {
    moves_in("trixie");
}
