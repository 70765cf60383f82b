//! The table of docs/probe.md is that of the faults. `UPDATE_GOLDEN=1` rewrites it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use crate::common::source;
use crate::faults;

const HEADING: &str = "## Faults\n";

#[test]
fn the_documentation_lists_the_faults() {
    let mut table = "| fault | finding | subject | breaks |\n|---|---|---|---|\n".to_owned();
    let mut names = BTreeSet::new();
    let mut planted = BTreeSet::new();
    for fault in faults::all() {
        assert!(names.insert(fault.name), "{} is there twice", fault.name);
        assert!(planted.insert(fault.about), "{:?} is there twice", fault.about);
        let (code, subject) = match fault.code {
            "" => ("none: this is right".to_owned(), String::new()),
            code => (format!("`{code}`"), format!("`{}`", fault.subject)),
        };
        let clients = fault.clients.join(", ");
        writeln!(table, "| {} | {code} | {subject} | {clients} |", fault.about).expect("text");
    }
    assert!(names.len() > 60, "only {} faults", names.len());
    let path = source("docs/probe.md");
    let page = fs::read_to_string(&path).expect("docs/probe.md");
    let heading = page.find(HEADING).expect("the heading");
    let start = heading + page[heading..].find("\n|").expect("a table") + 1;
    let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, [&page[..start], &table, &page[end..]].concat()).expect("docs/probe.md");
    } else {
        let hint = "UPDATE_GOLDEN=1 cargo test -p mailsetup-probe --test laboratory table";
        assert!(page[start..end] == *table, "docs/probe.md: run {hint}, and read it");
    }
}
