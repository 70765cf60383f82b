//! On the mail host of a guide, with two mail domains in SQL: `mailsetup init` writes a configuration,
//! and its messages say what to do next. All that they say is done as it is printed. Then the clients
//! set up a mailbox of each domain by what is answered, and log in.
//!
//! `make test-init` creates the mail hosts and runs this.

use serde_json::Value;

use crate::account::{self, AccountServer};
use crate::certificates::AUTHORITY;
use crate::common::{command, program, run};
use crate::delta_chat::{self, as_told};
use crate::machine::{HOST, MAILBOXES, Machine};
use crate::thunderbird::{Thunderbird, servers};

const CONFIG: &str = "etc/mailsetup/config.toml";

/// What the end of `init` and `check` say of a configuration that has no faults.
const CLEAN: &str = ": no errors, no warnings";

/// The servers of such a host that a client sets up.
fn wanted(address: &str) -> Vec<AccountServer> {
    let server = |kind: &str, port| AccountServer {
        kind: kind.to_owned(),
        host: HOST.to_owned(),
        port,
        security: "SSL".to_owned(),
        authentication: "password-cleartext".to_owned(),
        username: address.to_owned(),
    };
    vec![server("imap", 993), server("smtp", 465)]
}

/// A command that is printed between backticks, or behind a label up to the end of the line.
fn printed<'a>(text: &'a str, before: &str, after: char) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split(after).next().expect("a part").trim()
}

/// The settings of a configuration: what is not a comment.
fn settings(config: &str) -> Vec<&str> {
    config.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// `init` in the machine. Returns what it printed.
fn init(machine: &Machine) -> String {
    let messages = run(&mut machine.mailsetup(&["init"]));
    assert!(messages.contains(CLEAN), "{messages}");
    // It does not write over a configuration.
    let again = machine.mailsetup(&["init"]).output().expect("mailsetup");
    let refusal = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && refusal.contains("--force"), "{refusal}");
    messages
}

/// From recorded outputs, as of a container, it writes the same settings.
fn is_the_same_from_outputs(machine: &Machine) {
    let config = run(machine.command("sh").args([
        "-ec",
        "cd /root
        doveconf -n >doveconf
        postconf -x >postconf 2>messages
        postconf -M >master
        mailsetup init --stdout --doveconf doveconf --postconf postconf --master master 2>messages",
    ]));
    assert_eq!(settings(&config), settings(&machine.read(CONFIG)), "{config}");
}

/// The domains come from the database, by the command that was printed.
fn import_domains(machine: &Machine, messages: &str) {
    let import = messages.split('`').find(|part| part.contains(" | mailsetup import --domains"));
    let import = import.unwrap_or_else(|| panic!("no command for the domains: {messages}"));
    run(machine.command("sh").args(["-c", import]));
    let list = import.split_once("--list ").map_or("", |(_, list)| list.trim());
    let domains = machine.read(list.trim_start_matches('/'));
    let mut domains: Vec<_> = domains.lines().filter(|line| !line.starts_with('#')).collect();
    domains.sort_unstable();
    assert_eq!(domains, ["example.net", "example.org"]);

    // "When the list is made, see below, remove the # of the next two lines"
    let config = machine.read(CONFIG);
    let waiting = format!("\n#[domains]\n#list_files = [\"{list}\"]\n");
    assert!(config.contains(&waiting), "{config}");
    machine.write(CONFIG, &config.replace(&waiting, &waiting.replace('#', "")));
    let checked = run(&mut machine.mailsetup(&["check"]));
    assert!(checked.contains(CLEAN), "{checked}");
    assert!(checked.contains("2 domains"), "{checked}");
}

/// No mail client that mailsetup-probe knows has an error or a warning, from another machine.
fn probe(domain: &str) {
    let path = program().with_file_name("mailsetup-probe");
    assert!(path.exists(), "build {} first: cargo build", path.display());
    let found = run(command(path).args(["--ca", AUTHORITY, domain]));
    assert!(found.contains("\nNo errors and no warnings.\n"), "{found}");
}

fn moves_in(release: &str) {
    Machine::run(release, |machine| {
        let messages = init(machine);
        is_the_same_from_outputs(machine);
        import_domains(machine, &messages);
        let snippet = printed(&messages, "1. The web server:\n", '\n');
        let include = printed(&messages, "Write `", '`');
        let dns = printed(&messages, "2. The DNS. Publish what this prints:\n", '\n');
        assert_eq!(dns, "mailsetup dns example.org");
        machine.answer(snippet, include);
        for (_, address) in MAILBOXES {
            let document =
                run(&mut machine.mailsetup(&["show", "--client", "thunderbird", address]));
            let mut shown = account::servers(&document, address);
            assert_eq!(shown.pop().map(|server| server.kind).as_deref(), Some("managesieve"));
            assert_eq!(shown, wanted(address));
        }

        let test = printed(&messages, "3. The test, best from outside of your network:\n", '\n');
        assert_eq!(test, "mailsetup probe example.org");
        for (domain, _) in MAILBOXES {
            probe(domain);
        }

        let mut thunderbird = Thunderbird::start(machine.sandbox);
        for (_, address) in MAILBOXES {
            let found = thunderbird.set_up(address, false);
            assert_eq!(found["error"], Value::Null, "{found:#}");
            assert_eq!(found["source"], "xml-from-isp-https", "{found:#}");
            assert_eq!(servers(&found), wanted(address));
            machine.expect_logins(address);
            machine.expect_message(address);
        }
        drop(thunderbird);
        for (_, address) in MAILBOXES {
            machine.forget();
            let used = delta_chat::set_up(machine.sandbox, address);
            for server in wanted(address) {
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
