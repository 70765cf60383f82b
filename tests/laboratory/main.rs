//! The laboratory: domains with real DNS, web and mail servers, in a network of their own. Faults are
//! planted one at a time; `mailsetup-probe` must name each one, and nothing else.
//!
//! `make test-probe` installs the servers and runs this; docs/probe.md has the table of faults.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and print what took how long"
)]

#[path = "../documented/blocks.rs"]
mod blocks;
#[path = "../common/mod.rs"]
mod common;

#[path = "../clients/marionette.rs"]
mod marionette;
#[path = "../clients/rpc.rs"]
mod rpc;

mod agreement;
mod certificates;
mod examples;
mod faults;
mod findings;
mod hostile;
mod mail;
mod net;
mod scripted;
mod shapes;
mod table;
mod web;
mod world;
mod zone;

use common::namespace::Namespace;
use common::{command, run};
use world::World;

/// The servers answer plain tools as the program expects them to.
#[test]
fn the_world_answers_plain_tools() {
    Namespace::run(|namespace| {
        let began = std::time::Instant::now();
        let mut world = World::start(namespace);
        println!("started in {:?}", began.elapsed());
        let scene = shapes::own(&mut world);
        world.publish(&scene);
        println!("published in {:?}", began.elapsed());
        for name in ["autoconfig.example.org", "example.org/.well-known/autoconfig"] {
            let url = format!("https://{name}/mail/config-v1.1.xml?emailaddress=ann@example.org");
            let document = curl(&[&url]);
            assert!(document.contains("<hostname>imap.example.org</hostname>"), "{document}");
        }
        let body = "<Autodiscover><Request><EMailAddress>ann@example.org</EMailAddress>\
                    </Request></Autodiscover>";
        let url = "https://autodiscover.example.org/autodiscover/autodiscover.xml";
        let document = curl(&["--data-binary", body, url]);
        assert!(document.contains("<Server>imap.example.org</Server>"), "{document}");
        for (port, option) in [
            ("993", ""),
            ("995", ""),
            ("465", ""),
            ("143", "imap"),
            ("587", "smtp"),
            ("4190", "sieve"),
        ] {
            let mut client = command("openssl");
            client.args(["s_client", "-brief", "-verify_return_error", "-CAfile"]);
            client.args([certificates::AUTHORITY, "-verify_hostname", "imap.example.org"]);
            client.args(["-connect", &format!("imap.example.org:{port}")]);
            if !option.is_empty() {
                client.args(["-starttls", option]);
            }
            let text = run(&mut client);
            assert!(text.contains("Verification: OK"), "{port}: {text}");
        }
    });
}

/// Every fault can be planted: all servers start with it.
#[test]
fn every_fault_can_be_planted() {
    Namespace::run(|namespace| {
        let mut world = World::start(namespace);
        for fault in faults::all() {
            let began = std::time::Instant::now();
            let scene = fault.scene(&mut world);
            world.publish(&scene);
            println!("{:30} {:?}", fault.name, began.elapsed());
        }
    });
}

fn curl(arguments: &[&str]) -> String {
    run(command("curl")
        .args(["-sS", "--fail", "--cacert", certificates::AUTHORITY])
        .args(arguments))
}
