//! The table of paths, compared with all copies of it: the expressions of `contrib/`, the manual
//! and the documentation. Expressions are read from the files; `conformance.rs` tests them in web
//! servers.

use crate::common::{pages, source};
use mailsetup::paths::{AUTOCONFIG_DATABASE, AUTODISCOVER_JSON, Kind, PAGE, PATHS, Path};
use mailsetup::request::Method;
use mailsetup::route::is_taken;
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeSet;
use std::fs;

//------------ expressions ----------------------------------------------------

/// The purpose of an expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Use {
    /// It passes the paths of this program among those of a site.
    Rule,
    /// It keeps the queries of these paths out of a log.
    Query,
    /// It keeps the paths with a mailbox out of a log.
    Mailbox,
}

/// A directive, its expression in `( )`, the expression's use, and whether the letter case matters.
const DIRECTIVES: [(&str, Use, bool); 8] = [
    (r#"^location ~\* "(.+)" \{$"#, Use::Rule, false),
    (r#"^ +"~\*(.+?)" "#, Use::Mailbox, false),
    (r#"^(?:<LocationMatch|AliasMatch|ProxyPassMatch) "(.+?)"[ >]"#, Use::Rule, true),
    (r#"^RewriteRule "(.+?)" mailsetup\.cgi \[NC,END\]$"#, Use::Rule, false),
    (r#"^SetEnvIfNoCase Request_URI "(.+)" mailsetup=\$1$"#, Use::Query, false),
    (r#"^ +SetEnvIfNoCase Request_URI "(.+)" mailsetup_json$"#, Use::Mailbox, false),
    (r#"^\$HTTP\["url"\] =~ "(.+)" \{$"#, Use::Rule, true),
    (r"^# +acl mailsetup path_reg -i '(.+)'$", Use::Rule, false),
];

/// An expression in a web server's file.
struct Expression {
    file: String,
    used_for: Use,
    /// A rule of `.htaccess` sees paths without the slash at the beginning.
    is_relative: bool,
    regex: Regex,
}

impl Expression {
    fn matches(&self, path: &str) -> bool {
        let path = if self.is_relative { path.trim_start_matches('/') } else { path };
        self.regex.is_match(path)
    }
}

/// All expressions of `contrib/` that name Autodiscover.
fn expressions() -> Vec<Expression> {
    let mut found = Vec::new();
    for file in ["nginx", "apache", "lighttpd", "haproxy"].into_iter().flat_map(files) {
        let text = fs::read_to_string(source(&file)).expect(&file);
        for line in text.lines().filter(|line| line.contains(r"autodiscover\.")) {
            let directive = DIRECTIVES.iter().find_map(|(directive, used_for, case_counts)| {
                let expression = Regex::new(directive).expect("a directive").captures(line)?;
                Some((expression[1].to_owned(), *used_for, *case_counts))
            });
            let (expression, mut used_for, case_counts) =
                directive.unwrap_or_else(|| panic!("{file}: an expression is not read: {line}"));
            // lighttpd has one directive for both.
            if line.starts_with("$HTTP") && !expression.contains("mobileconfig") {
                used_for = Use::Mailbox;
            }
            let regex = RegexBuilder::new(&expression).case_insensitive(!case_counts).build();
            let regex = regex.unwrap_or_else(|error| panic!("{file}: {error}: {expression}"));
            let is_relative = line.starts_with("RewriteRule");
            found.push(Expression { file: file.clone(), used_for, is_relative, regex });
        }
    }
    found
}

fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(source("contrib").join(folder)).expect(folder);
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("directory entry").file_name().into_string().expect("UTF-8")
    };
    entries.map(|entry| format!("contrib/{folder}/{}", name(entry))).collect()
}

/// The paths that a site passes to this program. The root belongs to the site, and so does
/// `/v1.1/`, which clients request from a database of domains.
fn beside_a_site() -> impl Iterator<Item = &'static Path> {
    let are_the_sites = [PAGE.text, AUTOCONFIG_DATABASE.text];
    PATHS.iter().filter(move |path| !are_the_sites.contains(&path.text))
}

/// Example paths of a row, in the letter cases of clients.
fn examples(path: &Path) -> Vec<String> {
    let behind: &[&str] = match path.kind {
        Kind::Is => &[""],
        Kind::Below => &["example.org"],
        Kind::Under => &["ann@example.org", "a/b@example.org", "ann%40example.org"],
    };
    let spellings = [path.text.to_owned(), path.text.to_uppercase(), capitals(path.text)];
    spellings
        .iter()
        .flat_map(|text| behind.iter().map(move |behind| text.clone() + behind))
        .collect()
}

/// The text with each word capitalised: `/Autodiscover/Autodiscover.Xml`.
fn capitals(text: &str) -> String {
    let mut is_first = true;
    let capital = |c: char| {
        let capital = if is_first { c.to_ascii_uppercase() } else { c };
        is_first = !c.is_ascii_alphanumeric();
        capital
    };
    text.chars().map(capital).collect()
}

/// Paths that are similar to those of the table.
fn near_misses() -> BTreeSet<String> {
    let mut near = BTreeSet::from(["/".to_owned(), "/index.html".to_owned()]);
    near.extend(examples(&AUTOCONFIG_DATABASE));
    for path in beside_a_site() {
        let text = path.text;
        near.extend([format!("/x{text}"), format!("/{}", &text[2..]), text.to_owned()]);
        near.extend(["x", "s", "~", ".bak", "/", "/x"].map(|end| format!("{text}{end}")));
        near.extend(text.rmatch_indices('/').map(|(at, _)| text[..at].to_owned()));
        let dots = text.match_indices('.');
        near.extend(dots.map(|(at, _)| format!("{}x{}", &text[..at], &text[at + 1..])));
    }
    near.retain(|path| !beside_a_site().any(|row| is_of(row, path)));
    near
}

/// True if a row matches the path.
fn is_of(row: &Path, path: &str) -> bool {
    let path = path.to_lowercase();
    match row.kind {
        Kind::Is => path == row.text,
        Kind::Below | Kind::Under => path.len() > row.text.len() && path.starts_with(row.text),
    }
}

#[test]
fn the_expressions_of_web_servers_take_the_paths_of_the_table() {
    let expressions = expressions();
    let count = |used_for| expressions.iter().filter(|it| it.used_for == used_for).count();
    assert_eq!([Use::Rule, Use::Query, Use::Mailbox].map(count), [13, 3, 6]);
    for expression in &expressions {
        let rows = beside_a_site()
            .filter(|path| expression.used_for != Use::Mailbox || path.kind == Kind::Under);
        for path in rows.flat_map(examples) {
            assert!(expression.matches(&path), "{} does not take {path}", expression.file);
        }
    }
}

#[test]
fn the_rules_of_web_servers_take_nothing_else() {
    let near = near_misses();
    for path in ["/mobileconfigs", "/mail/config-v1.1.xmlx", "/mail", "/v1.1/example.org"] {
        assert!(near.contains(path), "{path}: {near:?}");
    }
    for rule in expressions().iter().filter(|expression| expression.used_for == Use::Rule) {
        for path in &near {
            // The next version of the form in JSON is passed, too.
            assert!(!rule.matches(path), "{} takes {path}", rule.file);
        }
        assert!(rule.matches("/autodiscover/autodiscover.json/v1.1/ann@example.org"));
    }
}

/// Caddy's matcher supports `*` at the end, and ignores letter case.
#[test]
fn caddy_takes_the_paths_of_the_table() {
    let file = fs::read_to_string(source("contrib/caddy/mailsetup.caddy")).expect("contrib");
    let matchers = |name: &str| -> Vec<Vec<String>> {
        let lines = file.lines().filter_map(|line| line.trim().strip_prefix(name));
        lines.map(|list| list.split(' ').map(str::to_owned).collect()).collect()
    };
    let taken = matchers("@mailsetup path ");
    assert_eq!(taken.len(), 1);
    assert_eq!(matchers("@not_mailsetup not path "), taken);
    let takes = |path: &str| {
        let path = path.to_lowercase();
        taken[0].iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == *pattern,
        })
    };
    for path in beside_a_site().flat_map(examples) {
        assert!(takes(&path), "{path}");
    }
    // The text between two slashes cannot be restricted.
    let folder = format!("{}/", AUTODISCOVER_JSON.text);
    for path in near_misses().iter().filter(|path| !path.to_lowercase().starts_with(&folder)) {
        assert!(!takes(path), "{path}");
    }
}

//------------ texts ----------------------------------------------------------

/// A row as written in texts, with a word for the part after it.
fn written(path: &Path, below: &str, under: &str) -> String {
    let behind = match path.kind {
        Kind::Is => "",
        Kind::Below => below,
        Kind::Under => under,
    };
    format!("{}{behind}", path.text)
}

/// The section of a text after a heading.
fn section<'a>(text: &'a str, heading: &str, next: &str) -> &'a str {
    let section = text.split(heading).nth(1).expect(heading);
    section.split(next).next().expect("a section")
}

/// mailsetup(1) has every path and its methods.
#[test]
fn the_manual_has_the_paths_of_the_table() {
    let manual = fs::read_to_string(source("man/mailsetup.1.in")).expect("man/mailsetup.1.in");
    let mut found = Vec::new();
    for entry in section(&manual, ".SH PATHS\n", "\n.PP").split(".TP\n").skip(1) {
        let (paths, text): (Vec<_>, Vec<_>) =
            entry.lines().filter(|line| *line != ".TQ").partition(|line| line.starts_with(".I /"));
        // HEAD is described once for all.
        let methods = text[0].split('.').next().expect("methods");
        let methods: BTreeSet<_> = methods.split(", ").map(str::to_owned).collect();
        assert!(text.len() > 1 || text[0].len() > 20, "{entry} does not say what is answered");
        let path = |line: &&str| line.trim_start_matches(".I ").replace("\\-", "-");
        found.extend(paths.iter().map(|line| (path(line), methods.clone())));
    }
    let of_table = |path: &Path| {
        let methods = path.methods.iter().filter(|method| **method != Method::Head);
        let methods = match path.methods.contains(&Method::Other) {
            true => ["Any method".to_owned()].into(),
            false => methods.map(|method| method.as_str().to_owned()).collect(),
        };
        (written(path, "DOMAIN", "ADDRESS"), methods)
    };
    let mut table: Vec<_> = PATHS.iter().map(of_table).collect();
    found.sort();
    table.sort();
    assert_eq!(found, table);
}

/// docs/hook-up.md lists the paths that a site passes to this program, for rules of other web
/// servers.
#[test]
fn the_list_for_other_web_servers_is_that_of_the_table() {
    let page = fs::read_to_string(source("docs/hook-up.md")).expect("docs/hook-up.md");
    let list = section(&page, "## Which paths\n", "\n## ");
    let list: Vec<_> = list.lines().filter(|line| line.starts_with('/')).collect();
    let table = beside_a_site().map(|path| written(path, "", " with anything below"));
    assert_eq!(list, table.collect::<Vec<_>>());
}

/// docs/protocols.md names every path of a protocol, with its methods, and no other.
#[test]
fn the_documentation_of_protocols_has_the_paths_of_the_table() {
    let text = fs::read_to_string(source("docs/protocols.md")).expect("docs/protocols.md");
    let named = Regex::new(r"`(?:GET|`?POST`? and `?GET) (?:https://[^/`]+)?(/[^?`]*)[?`]");
    let named = named.expect("an expression");
    let found: BTreeSet<_> = named.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    let table = PATHS.iter().filter(|path| path.text != PAGE.text);
    let table: BTreeSet<_> = table.map(|path| written(path, "<domain>", "<address>")).collect();
    assert_eq!(found, table);
}

/// The paths in the examples of README.md and docs/ are served.
#[test]
fn the_examples_of_the_documentation_are_answered() {
    let text: String = pages().into_iter().map(|(_, text)| text).collect();
    let url = Regex::new(r"https?://(?:autoconfig\.example\.org|127\.0\.0\.1:8025)(/[^?'`:\s]*)");
    let paths = url.expect("an expression");
    let paths: BTreeSet<_> = paths.captures_iter(&text).map(|url| url[1].to_owned()).collect();
    assert!(paths.len() > 3, "{paths:?}");
    // This example shows that the configuration is not served.
    for path in paths.iter().filter(|path| *path != "/mailsetup.toml") {
        assert!(is_taken(path.as_bytes()), "{path}");
    }
}
