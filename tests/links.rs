//! The links of the documentation: each leads to a file of the source and to a heading of that
//! page, and each page of `docs/` is in its table of contents.

use crate::common::{pages, source};
use regex_lite::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The text outside code blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced && !line.starts_with("    ")
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The anchors of a page, as web views of repositories make them from headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
        path
    })
}

/// The targets of the links and pictures of a page.
fn targets(text: &str) -> Vec<String> {
    let link = Regex::new(r#"\]\(([^)\s]+)\)|<img src="([^"]+)""#).expect("an expression");
    let prose = prose(text);
    let found = link.captures_iter(&prose);
    found.filter_map(|found| Some(found.get(1).or(found.get(2))?.as_str().to_owned())).collect()
}

#[test]
fn each_link_of_the_documentation_leads_somewhere() {
    let (mut count, mut broken) = (0, Vec::new());
    for (page, text) in pages() {
        for target in targets(&text) {
            // Other sites are not requested: the tests have no network.
            if target.starts_with("https://") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&page).parent().expect("a folder");
            let path = match file {
                "" => PathBuf::from(&page),
                file => normal(&folder.join(file)),
            };
            let found = source("").join(&path);
            let has_anchor = || {
                let text = fs::read_to_string(&found).expect("a page");
                anchors(&text).contains(anchor)
            };
            if !found.exists() || (!anchor.is_empty() && !has_anchor()) {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(count > 100, "{count} links");
}

#[test]
fn the_table_of_contents_has_each_page() {
    let text = fs::read_to_string(source("docs/README.md")).expect("a page");
    let linked: BTreeSet<_> = targets(&text).into_iter().collect();
    let pages = pages().into_iter().map(|(page, _)| page);
    let missing: Vec<_> = pages
        .filter_map(|page| page.strip_prefix("docs/").map(str::to_owned))
        .filter(|page| page != "README.md" && !linked.contains(page))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
