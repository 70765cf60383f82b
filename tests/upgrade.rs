//! Upgrades: the documents of version 0.1.0, recorded from its program, are the same today: servers,
//! logins and the UUIDs of profiles, by which an iPhone replaces a profile instead of adding another.
//!
//! The files in `fixtures/upgrade` are never written again by a later version.

use std::fs;

use crate::common::{command, program, run, source};

#[test]
fn documents_are_those_of_0_1_0() {
    let mut compared = 0;
    for recorded in fs::read_dir(source("tests/fixtures/upgrade/0.1.0")).expect("recorded") {
        let path = recorded.expect("file").path();
        let name = path.file_stem().expect("name").to_str().expect("text").to_owned();
        let (config, client) = name.split_once('-').expect("the configuration and the client");
        let config = source("tests/fixtures/upgrade").join(format!("{config}.toml"));
        let mut show = command(program());
        show.arg("--config").arg(config).args(["show", "ann@example.org", "--client", client]);
        assert_eq!(run(&mut show), fs::read_to_string(&path).expect("recorded"), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 9);
}
