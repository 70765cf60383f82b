//! Reads TOML into the structs of `file`; reports every unknown key and every wrong type at once.
//!
//! The tables of a domain are read over those of the base: an omitted key has the base's value.
//! Inherited values and values that are refused here have no place, so that they are not reported
//! again. Refuses duplicates, with both lines, and placeholders that are not filled in at their
//! place. Rules: TOML 1.1.

use super::faults::Faults;
use super::file::{self, File, Spanned, Tables};
use super::overlay::{Lines, Sets};
use super::reader::{Key, Reader, Scope, Value, integer, wrong_type};
use super::report::Report;
use super::syntax::parse;
use std::ops::Range;
use toml::Spanned as Located;
use toml::de::{DeTable, DeValue};

//------------ Document -------------------------------------------------------

/// A configuration file that was read; by default, an empty one.
#[derive(Debug, Default)]
pub struct Document<'t> {
    /// The settings of all domains.
    pub base: Tables,
    /// The settings that exist only once.
    pub file: File,
    text: &'t str,
    inherited: Inherited,
    /// The memory of the values that the domains copied from the base, in bytes.
    copied: usize,
    /// The domains that were not returned so far, the next one last.
    domains: Vec<(Key<'t>, Value<'t>)>,
    faults: Faults,
}

impl<'t> Document<'t> {
    /// Reads a text, and the values of variables over its tables at the top; `None` if it is not
    /// TOML.
    pub fn read(text: &'t str, variables: &'t Lines, report: &mut Report) -> Option<Document<'t>> {
        let mut faults = Faults::default();
        for (at, variable) in &variables.variables {
            if let Sets::Nothing(code, message) = &variable.sets {
                faults.refuse(code, *at..*at, || message.clone());
            }
        }
        let top = parse(text, &mut faults);
        let document = top.map(|mut top| {
            let domains = take_domains(&mut top, &mut faults);
            variables.lay_over(&mut top);
            let top = Located::new(0..text.len(), DeValue::Table(top));
            let base = Reader::new(text, Scope::Top, &mut faults).read(&top, None);
            let file: File = Reader::new(text, Scope::WholeFile, &mut faults).read(&top, None);
            let is_needed = !domains.is_empty() || file.domains.directory.is_some();
            let inherited = match top.into_inner() {
                DeValue::Table(mut top) if is_needed => {
                    for key in file::WHOLE_FILE {
                        top.remove(key);
                    }
                    Inherited(Some(plain_table(top)))
                }
                _ => Inherited::default(),
            };
            (base, file, inherited, domains)
        });
        faults.report(report);
        if document.is_none() {
            faults.report_the_rest(report);
        }
        let (base, file, inherited, domains) = document?;
        Some(Document { base, file, text, inherited, copied: 0, domains, faults })
    }

    /// The names of the remaining domains as written, and their places.
    pub fn names(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.domains.iter().map(|(name, _)| (name.get_ref().as_ref(), name.span()))
    }

    /// The next domain and its tables, over those of the base.
    pub fn next_domain(&mut self, report: &mut Report) -> Option<(Spanned<String>, Tables)> {
        let Some((name, value)) = self.domains.pop() else {
            self.faults.report_the_rest(report);
            return None;
        };
        let mut reader = Reader::new(self.text, Scope::Domain, &mut self.faults);
        reader.at.domain = Some(&name);
        let tables = reader.read(&value, self.inherited.0.as_ref());
        self.copied += reader.copied;
        self.faults.report(report);
        Some((Spanned::new(name.get_ref().to_string(), name.span()), tables))
    }

    /// The memory of the values of the base that the domains so far copied, in bytes: a table in
    /// which a domain sets a key is copied as a whole.
    pub fn copied(&self) -> usize {
        self.copied
    }

    /// The tables that the files of domains inherit from.
    pub fn inherited(&self) -> Inherited {
        self.inherited.clone()
    }
}

/// The tables at the top of a configuration file.
#[derive(Clone, Debug, Default)]
pub struct Inherited(Option<toml::Table>);

impl Inherited {
    /// Reads the text of one domain's file; `None` if it is not TOML. Also returns the memory of
    /// the values that were copied from the base, in bytes.
    pub fn domain_file(&self, text: &str, report: &mut Report) -> Option<(Tables, usize)> {
        let mut faults = Faults::default();
        let tables = parse(text, &mut faults).map(|table| {
            let table = Located::new(0..text.len(), DeValue::Table(table));
            let mut reader = Reader::new(text, Scope::Domain, &mut faults);
            (reader.read(&table, self.0.as_ref()), reader.copied)
        });
        faults.report(report);
        faults.report_the_rest(report);
        tables
    }
}

fn take_domains<'t>(top: &mut DeTable<'t>, faults: &mut Faults) -> Vec<(Key<'t>, Value<'t>)> {
    let Some((_, table)) = top.remove_entry("domain") else { return Vec::new() };
    let span = table.span();
    match table.into_inner() {
        DeValue::Table(table) => {
            let mut domains: Vec<_> = table.into_iter().collect();
            domains.reverse();
            domains
        }
        other => {
            faults.refuse("wrong-type", span, || wrong_type(&["domain"], "a table", &other));
            Vec::new()
        }
    }
}

fn plain_table(table: DeTable) -> toml::Table {
    let entries = table.into_iter();
    entries.map(|(key, value)| (key.into_inner().into_owned(), plain(value))).collect()
}

/// A value without its place.
fn plain(value: Value) -> toml::Value {
    match value.into_inner() {
        DeValue::String(text) => toml::Value::String(text.into_owned()),
        DeValue::Integer(number) => toml::Value::Integer(integer(&number).unwrap_or_default()),
        DeValue::Boolean(flag) => toml::Value::Boolean(flag),
        DeValue::Array(array) => toml::Value::Array(array.into_iter().map(plain).collect()),
        DeValue::Table(table) => toml::Value::Table(plain_table(table)),
        // No key has a value of this type.
        DeValue::Float(_) | DeValue::Datetime(_) => toml::Value::Boolean(false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::MAX_FINDINGS;
    use super::*;
    use std::path::Path;

    /// The findings in a text: line, code and message.
    fn found(text: &str) -> Vec<(usize, &'static str, String)> {
        let mut report = Report::new(Path::new("f"), text);
        let variables = Lines::default();
        if let Some(mut document) = Document::read(text, &variables, &mut report) {
            while document.next_domain(&mut report).is_some() {}
        }
        let line = |finding: &crate::finding::Finding| finding.place.clone()?.position;
        let found = report.sorted();
        let found = found.iter();
        found.map(|it| (line(it).map_or(0, |at| at.0), it.code, it.message.clone())).collect()
    }

    fn message(text: &str) -> String {
        let found = found(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0].2.clone()
    }

    #[test]
    fn unknown_words_come_with_the_nearest() {
        for (text, expected) in [
            ("[imap]\nhots = 'x'", "unknown key `hots` in [imap]; did you mean `host`?"),
            ("[imaps]", "unknown key `imaps`; did you mean `imap`?"),
            ("[domian.'x.example']", "unknown key `domian`; did you mean `domain`?"),
            (
                "[imap]\nsecurity = 'startls'",
                "imap.security: unknown value `startls`; did you mean `starttls`?",
            ),
            ("[imap]\nsecurity = 'TLS'", "imap.security: unknown value `TLS`; did you mean `tls`?"),
            (
                "[imap]\nauth = ['password', 'oauth']",
                "imap.auth: unknown value `oauth`; did you mean `oauth2`?",
            ),
            (
                "[domain.'example.org'.imep]",
                "unknown key `imep` in [domain.\"example.org\"]; did you mean `imap`?",
            ),
            ("[pacc]\nqqqq = 1", "unknown key `qqqq` in [pacc]; known keys are `enabled`"),
            (
                "alias_of = 'x.example'",
                "alias_of is only allowed for one domain: write it in [domain.\"example.org\"]",
            ),
            (
                "[domain.'x.example'.apple]\nsigning_key = 'k'",
                "apple.signing_key is only allowed at the top, for all domains",
            ),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_types_are_named() {
        for (text, expected) in [
            ("imap = 5", "imap: a table is expected, not a whole number"),
            ("imap.port = 'x'", "imap.port: a whole number is expected, not text"),
            ("imap.port = 99999999999999999999", "imap.port: 99999999999999999999 is too large"),
            ("imap.host = 5", "imap.host: text in quotes is expected, not a whole number"),
            ("imap.auth = 1.5", "imap.auth: text in quotes is expected, not a decimal number"),
            ("imap.enabled = 'yes'", "imap.enabled: true or false is expected, not text"),
            (
                "imap.alternatives = { port = 1 }",
                "imap.alternatives: a list in [ ] is expected, not a table",
            ),
            ("domain = 5", "domain: a table is expected, not a whole number"),
            (
                "domain.'x.example' = 1979-05-27",
                "domain.x.example: a table is expected, not a date",
            ),
            (
                "apple.description.en = 1",
                "apple.description.en: text in quotes is expected, not a whole number",
            ),
            ("limits.body_bytes = 'x'", "limits.body_bytes: a whole number is expected, not text"),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    /// The message names a cause only if it is certain.
    #[test]
    fn a_domain_without_quotes_is_not_taken_for_something_else() {
        for (text, domain) in [
            ("[domain.example.org]", "example.org"),
            ("[domain.example.org.imap]\nhost = 'x'", "example.org"),
            ("domain.mail.example.org.imap.host = 'x'", "mail.example.org"),
        ] {
            let expected = format!("a domain name must be in quotes: write [domain.\"{domain}\"]");
            assert!(message(text).ends_with(&expected), "{text}: {}", message(text));
        }
        let expected = "a pattern must be in quotes, as in [domain.\"*.example.org\"]";
        for text in ["[domain.*.example.net]", "[domain.*]\nimap.port = 1", "[domain.*.a.org.imap]"]
        {
            assert!(message(text).ends_with(expected), "{text}: {}", message(text));
        }
        for text in
            ["[domain.'example.org'.org]", "[domain.example]\norg = 1", "[domain.example.imep]"]
        {
            assert!(!message(text).contains("quotes: write"), "{text}: {}", message(text));
        }
    }

    /// The message for `security = tls` was "invalid boolean, expected `true`".
    #[test]
    fn text_without_quotes_is_called_that() {
        let quotes = |value: &str| format!("text must be in quotes: write \"{value}\"");
        let straight = |value: &str| format!("text must be in straight quotes: write \"{value}\"");
        for (text, line, message) in [
            ("imap.host = imap.example.org", 1, quotes("imap.example.org")),
            ("imap.host=mail.example.org # ours", 1, quotes("mail.example.org")),
            ("\nimap.security = tls\n", 2, quotes("tls")),
            ("imap.security = none", 1, quotes("none")),
            ("imap.host = 192.0.2.1", 1, quotes("192.0.2.1")),
            ("imap.host = 1a.example", 1, quotes("1a.example")),
            ("page.logo = /etc/logo.svg", 1, quotes("/etc/logo.svg")),
            ("provider.name = Example Net\n", 1, quotes("Example Net")),
            ("imap.auth = [oauth2, 'password']", 1, quotes("oauth2")),
            ("imap.auth = ['oauth2', tls]", 1, quotes("tls")),
            ("imap = { host = true.example }", 1, quotes("true.example")),
            ("imap.host = \u{201c}a.example\u{201d}", 1, straight("a.example")),
            ("imap.enabled = True", 1, "`True` must be written `true`".to_owned()),
            ("imap.enabled = FALSE\n", 1, "`FALSE` must be written `false`".to_owned()),
            ("imap.host =\nimap.port = 1", 1, "a value is missing".to_owned()),
            ("imap.host = # none", 1, "a value is missing".to_owned()),
            (
                "imap.enabled = yes",
                1,
                "enabled: `yes` is not a valid value; expected true or false".to_owned(),
            ),
            (
                "[imap]\nport = 993;\n",
                2,
                "port: `993;` is not a number; expected digits only, without quotes".to_owned(),
            ),
            (
                "imap = { enabled = treu }",
                1,
                "enabled: `treu` is not a valid value; expected true or false".to_owned(),
            ),
            (
                "limits.body_bytes = 64K",
                1,
                "body_bytes: `64K` is not a number; expected digits only, without quotes"
                    .to_owned(),
            ),
            ("imap.host == 'a'", 1, "only one `=` is expected between key and value".to_owned()),
            ("imap.host = `a.example`", 1, straight("a.example")),
            (
                "provider.name = yes",
                1,
                "`yes` is not a value; expected true, false, or text in quotes".to_owned(),
            ),
        ] {
            assert_eq!(found(text), [(line, "syntax", message)], "{text}");
        }
        for text in
            ["imap.port = 070", "[imap", "imap.host = 'x", "imap = { host = 'a', \u{e9} = 1 }", "x"]
        {
            let found = found(text);
            assert!(!found.iter().any(|(_, _, message)| message.contains("write")), "{found:?}");
        }
    }

    #[test]
    fn flags_and_numbers_are_listed() {
        let flags = [
            "autodiscover.dav",
            "imap.enabled",
            "log.client_addresses",
            "log.requests",
            "log.user_agents",
            "pop3.fetch_at_once",
            "pop3.leave_on_server",
        ];
        let numbers = [
            "domains.directory_letters",
            "imap.port",
            "limits.body_bytes",
            "limits.buffered_bytes",
            "limits.connections",
            "limits.parameters_bytes",
            "limits.stop_timeout_s",
            "limits.timeout_s",
            "login.timeout_ms",
            "pop3.days_on_server",
        ];
        assert_eq!((flags.len(), numbers.len()), (file::FLAGS.len(), file::NUMBERS.len()));
        for (keys, known, kind) in [
            (&flags[..], &file::FLAGS[..], "true or false is expected"),
            (&numbers[..], &file::NUMBERS[..], "a whole number is expected"),
        ] {
            for key in keys {
                assert!(message(&format!("{key} = []")).contains(kind), "{key}");
                assert!(key.rsplit('.').next().is_some_and(|key| known.contains(&key)), "{key}");
            }
        }
    }

    /// `invalid basic string, expected ...` is the parser's message for a missing quote.
    #[test]
    fn what_the_parser_says_is_said_in_plain_words() {
        for (text, start) in [
            ("imap.host = \"x", "the closing quote is missing; expected `\"`"),
            ("imap.host = 'x\n", "the closing quote is missing; expected `'`"),
            ("imap.host = \"\"\"x", "the closing quotes are missing; expected `\"\"\"`"),
            ("imap.host = '''x", "the closing quotes are missing; expected `'''`"),
            ("imap.host = \"a\u{1}\"", "control characters are not allowed in text"),
            ("imap.host = \"a\\q\"", "unknown escape sequence"),
            ("imap.host: 'x'", "`=` and a value are missing after the key"),
            ("[imap", "the closing bracket is missing; expected `]`"),
            ("[[imap]", "a closing bracket is missing; expected `]]`"),
            ("imap.auth = ['a'", "the closing bracket of the list is missing"),
            ("imap = { host = 'x'", "the closing brace is missing"),
            ("imap.port = 0993", "a number cannot begin with 0"),
            ("imap.port = 993 smtp.port = 1", "expected the end of the line"),
            ("imap.auth = ['a' 'b']", "a comma is missing between two elements"),
            ("imap..port = 1", "a key is missing"),
        ] {
            assert!(message(text).starts_with(start), "{text}: {}", message(text));
        }
    }

    #[test]
    fn duplicates_name_both_lines() {
        let table = "table [domain.\"example.org\"]";
        for (text, line, what, first) in [
            ("[domain.\"example.org\"]\n[imap]\n[domain.\"example.org\"]", 3, table, 1),
            ("[domain.\"example.org\"]\n[domain.\"example.org\"]\nimap.port = 1", 2, table, 1),
            ("[imap]\nport = 1\nhost = 'a'\nport = 2", 4, "key `port`", 2),
            ("[smtp]\nport = 1\n[imap]\nport = 1\nport = 2", 5, "key `port`", 4),
            ("imap.port = 1\n\n[imap]", 3, "table [imap]", 1),
            ("imap = 5\n[imap.x]", 2, "table [imap]", 1),
            ("imap.port = 1\nimap = 5", 2, "key `imap`", 1),
            ("[imap]\nhost = 'a'\nhost.x = 'b'", 3, "key `host`", 2),
            ("[[imap]]\n[imap]", 2, "table [imap]", 1),
            ("[imap]\n[[imap]]", 2, "table [imap]", 1),
            ("imap = { port = 1, \"port\" = 2 }", 1, "key `\"port\"`", 1),
            ("\nimap.alternatives = [{ port = 1 },\n{ port = 1, port = 2 }]", 3, "key `port`", 3),
            ("apple = { description = { en = 'a', en = 'b' } }", 1, "key `en`", 1),
            ("x = '''\n[imap]\n'''\n[imap]\n[imap]", 5, "table [imap]", 4),
        ] {
            let found = found(text);
            let expected = format!("duplicate {what}: the first is in line {first}");
            let told = found.iter().find(|(_, code, _)| *code == "duplicate");
            assert_eq!(told, Some(&(line, "duplicate", expected)), "{text}: {found:?}");
        }
    }

    #[test]
    fn everything_of_a_file_is_reported_and_a_flood_is_counted() {
        let text = "[imap]\nhots = 1\nport = 'x'\n[smpt]\n[domain.'x.example'.imap]\nhots = 1\nport = 'y'\n";
        let lines: Vec<_> = found(text).iter().map(|found| found.0).collect();
        assert_eq!(lines, [2, 3, 4, 6, 7], "{:?}", found(text));

        let flood: String = (0..250).map(|n| format!("[domain.'d{n}.example']\nx = 1\n")).collect();
        let found = found(&flood);
        assert_eq!(found.len(), MAX_FINDINGS + 1);
        assert!(found[MAX_FINDINGS].2.starts_with("150 more"), "{:?}", found[MAX_FINDINGS]);
    }

    /// Errors in the base are reported once.
    #[test]
    fn a_domain_inherits_values_and_no_mistakes() {
        let text = "imap.port = 143\nimap.host = 5\n[domain.'x.example']\nimap.username = 'a'\n";
        let mut report = Report::new(Path::new("f"), text);
        let variables = Lines::default();
        let mut document = Document::read(text, &variables, &mut report).unwrap();
        let (_, tables) = document.next_domain(&mut report).unwrap();
        let imap = tables.imap.unwrap();
        assert!(imap.username.is_some_and(|it| !it.is_inherited()));
        assert!(imap.port.is_some_and(|it| it.is_inherited() && *it.get_ref() == 143));
        assert!(tables.smtp.is_none());
        assert_eq!(report.findings.len(), 1);
    }

    /// The list is separate from the struct.
    #[test]
    fn the_keys_of_the_whole_file_are_listed() {
        let text: String = file::WHOLE_FILE.iter().map(|key| format!("[{key}]\n")).collect();
        assert_eq!(found(&text), []);
    }
}
