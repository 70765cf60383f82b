//! Domains in the output of a database client, in a CSV file or in a list: bytes in, domains out, no
//! I/O.
//!
//! A row is a line. Its name is the first column, or the one that a heading names: a domain, or an
//! e-mail address, which counts for its domain. A second column may name another domain of the same
//! input: the first one is an alias of it. Columns are separated by tabs (`mysql -N`, `mysql -B`),
//! bars (`psql -At`, `sqlite3`, the frames of `mysql` and `psql`), commas or semicolons (CSV), or white
//! space. Frames, comments and the line that counts the rows are left out.
//!
//! A domain in a further column, or behind the name in its column, is noted unless a heading names the
//! columns. What is in the place of a name and is none (`ALL`, `localhost`, `NULL`, a pattern) is noted
//! with its line. Refuses what is not text (control characters, lines of more than 64 KiB), and text for
//! people (`prose`).

use super::cells::Cells;
use super::prose::{Prose, prose};
use crate::address::{Domain, is_around};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// The most bytes that are read.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The most domains that are read.
pub const MAX_DOMAINS: usize = 1_000_000;
/// The most lines that name no domain.
const MAX_OTHERS: usize = 1_000_000;
/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// The most columns of a heading that are looked at.
const MAX_COLUMNS: usize = 64;
/// How many lines are noted; the others are counted.
pub const MAX_NOTED: usize = 20;
/// The end of notes about aliases.
const NOT_USED: &str = "; the second column is not used";
/// How much of a noted word or line is kept, in characters.
const MAX_WORD: usize = 120;

/// The names of the column with the domain or the address, the most telling first.
const NAME_HEADINGS: [&str; 13] = [
    "alias_domain",
    "domain",
    "mail_domain",
    "virtual_domain",
    "domainname",
    "name",
    "domain_name",
    "domains",
    "email",
    "address",
    "username",
    "user",
    "login",
];
/// The names of the column with the domain that an alias leads to.
const TARGET_HEADINGS: [&str; 4] = ["target_domain", "alias_of", "target", "destination"];
/// The same beside a column `name`: Mailu's table `alternative` has both.
const TARGET_BESIDE_NAME: &str = "domain_name";

//------------ Domains --------------------------------------------------------

/// The domains of an input.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Domains {
    /// Each domain once, with the one that it is an alias of. Aliases lead to a domain of the input
    /// that is not an alias.
    pub names: BTreeMap<Domain, Option<Domain>>,
    /// The lines that name no domain.
    pub left_out: Noted,
    /// The lines of which a part was not used, such as the second column.
    pub not_used: Noted,
    /// How many rows are e-mail addresses.
    pub addresses: usize,
    /// The domain, or what is in its place, in the last line, if that line has no end: it may be cut.
    pub unfinished: Option<String>,
}

/// Lines that are noted: the first [`MAX_NOTED`] of them, and the number of all.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Noted {
    /// The number of each line, and what is noted about it.
    pub first: Vec<(usize, String)>,
    /// How many there are.
    pub count: usize,
}

impl Noted {
    fn add(&mut self, line: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_NOTED {
            self.first.push((line, text()));
        }
    }
}

/// What a line should be.
pub const EXPECTED: &str = "a domain, an e-mail address, or a row of CSV, mysql, psql or sqlite3";

/// Why an input is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refused {
    /// A line, by its number, has a control character.
    NotText(usize),
    /// A line, by its number, is too long.
    LongLine(usize),
    /// There are too many domains.
    TooMany,
    /// Too many lines name no domain.
    TooManyOthers,
    /// A line, by its number, is the message of a program that has failed.
    Message(usize, String),
    /// A line, by its number, is text for people.
    Sentence(usize, String),
}

impl Refused {
    /// The line that is refused, if it is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Refused::NotText(line) | Refused::LongLine(line) => Some(*line),
            Refused::Message(line, _) | Refused::Sentence(line, _) => Some(*line),
            Refused::TooMany | Refused::TooManyOthers => None,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::NotText(_) => f.write_str(
                "a control character: it is not text in UTF-8; `iconv -f UTF-16 -t UTF-8 FILE >NEW` \
                 converts text in UTF-16",
            ),
            Refused::LongLine(_) => write!(f, "the line is longer than {} KiB", MAX_LINE / 1024),
            Refused::TooMany => write!(f, "more than {MAX_DOMAINS} domains"),
            Refused::Message(_, text) => write!(f, "a program has failed: `{text}`"),
            Refused::Sentence(_, text) => {
                write!(
                    f,
                    "`{text}` does not begin with a domain; expected on each line: {EXPECTED}"
                )
            }
            Refused::TooManyOthers => {
                write!(
                    f,
                    "more than {MAX_OTHERS} lines that name no domain: it is not a list of domains"
                )
            }
        }
    }
}

/// Reads the domains of an input.
pub fn read(input: &[u8]) -> Result<Domains, Refused> {
    let input = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input);
    let mut reader = Reader::default();
    for (index, line) in input.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() > MAX_LINE {
            return Err(Refused::LongLine(number));
        }
        if text.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(Refused::NotText(number));
        }
        let name = reader.line(number, text);
        if reader.rows.len() > MAX_DOMAINS {
            return Err(Refused::TooMany);
        }
        if reader.domains.left_out.count > MAX_OTHERS {
            return Err(Refused::TooManyOthers);
        }
        reader.domains.unfinished = name.filter(|_| !line.ends_with(b"\n"));
    }
    match reader.prose.take() {
        Some(refused) => Err(refused),
        None => Ok(reader.finish()),
    }
}

//------------ Reader ---------------------------------------------------------

/// What was read so far.
#[derive(Default)]
struct Reader {
    domains: Domains,
    /// The domains with the line and the text of their second column.
    rows: BTreeMap<Domain, Option<(usize, Domain)>>,
    columns: Columns,
    /// The first row, if it names no domain: it is a heading if a frame follows.
    first: Option<(usize, String)>,
    has_rows: bool,
    /// True behind a frame, or a heading with several columns.
    in_table: bool,
    /// The first line that is text for people.
    prose: Option<Refused>,
    /// True if a heading names the columns.
    has_heading: bool,
}

/// Which columns are read.
#[derive(Debug, Eq, PartialEq)]
struct Columns {
    /// What separates them; without a heading, each line's own.
    delimiter: Option<char>,
    name: usize,
    target: Option<usize>,
}

impl Default for Columns {
    fn default() -> Columns {
        Columns { delimiter: None, name: 0, target: Some(1) }
    }
}

impl Reader {
    /// Reads a line, and returns the domain in it, or what is in its place.
    fn line(&mut self, number: usize, bytes: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_matches(is_around);
        if text.is_empty() || text.starts_with('#') || is_count(text) {
            return None;
        }
        if is_frame(text) {
            // A heading that is not known.
            self.first = None;
            self.in_table = true;
            return None;
        }
        self.note_first();
        let is_first = !std::mem::replace(&mut self.has_rows, true);
        let prose = prose(text, self.in_table);
        if is_first {
            let heading = Columns::of_heading(text).filter(|heading| match prose {
                // `Access denied for user` and `Our domain list` have the name of a column.
                Some(Prose::Message) => false,
                Some(Prose::Sentence) => heading.delimiter.is_some(),
                None => true,
            });
            if let Some(columns) = heading {
                self.in_table = columns.delimiter.is_some();
                (self.columns, self.has_heading) = (columns, true);
                return None;
            }
        }
        let Columns { delimiter, name, target } = self.columns;
        let mut rest = Cells::of(text, delimiter);
        let cells: Vec<_> = rest.by_ref().take(name.max(target.unwrap_or(0)) + 1).collect();
        let cell = cells.get(name).map_or("", |cell| &**cell);
        let Some(Named { domain, is_address }) = name_in(cell) else {
            let word = shortened(if cell.is_empty() { text } else { cell });
            let refused = match prose {
                Some(Prose::Message) => Some(Refused::Message(number, shortened(text))),
                // The first row may be a heading: substr(email, instr(email, '@') + 1)
                Some(Prose::Sentence) if !is_first => {
                    Some(Refused::Sentence(number, shortened(text)))
                }
                _ => None,
            };
            self.prose = self.prose.take().or(refused);
            match is_first {
                true => self.first = Some((number, word.clone())),
                false => self.leave_out(number, word.clone()),
            }
            return Some(word.to_lowercase());
        };
        self.domains.addresses += usize::from(is_address);
        // An address that is forwarded makes no alias of its domain.
        let target = target.filter(|_| !is_address).and_then(|target| cells.get(target));
        let target = target.and_then(|cell| name_in(cell)).filter(|it| !it.is_address);
        let target = target.map(|target| target.domain);
        if !self.has_heading {
            let behind = |cell: &Cow<str>| {
                let words: Vec<_> = cell.split([' ', '\t']).skip(1).map(str::to_owned).collect();
                words.into_iter().map(Cow::Owned)
            };
            let words = cells.iter().flat_map(behind);
            let others =
                words.chain(rest.take(MAX_COLUMNS)).filter(|other| is_other(other, &domain));
            let others: Vec<_> = others.map(|other| shortened(&other)).collect();
            if let [first, more @ ..] = &others[..] {
                self.domains.not_used.add(number, || {
                    let more = match more.len() {
                        0 => String::new(),
                        more => format!(" (and {more} more)"),
                    };
                    format!(
                        "{first}{more} is in the line of {domain}: one domain belongs on each line"
                    )
                });
            }
        }
        let text = domain.to_string();
        self.add(number, domain, target);
        Some(text)
    }

    fn add(&mut self, line: usize, domain: Domain, target: Option<Domain>) {
        let target = target.filter(|target| *target != domain);
        match self.rows.entry(domain) {
            Entry::Vacant(entry) => {
                entry.insert(target.map(|target| (line, target)));
            }
            Entry::Occupied(mut entry) => {
                match (entry.get(), target) {
                    (None, Some(target)) => {
                        entry.insert(Some((line, target)));
                    }
                    (Some((_, known)), Some(target)) if *known != target => {
                        let (domain, known) = (entry.key(), known.clone());
                        self.domains.not_used.add(line, || {
                        format!("{domain} is an alias of {known} already, and not of {target}{NOT_USED}")
                    });
                    }
                    _ => {}
                }
            }
        }
    }

    fn leave_out(&mut self, line: usize, word: String) {
        self.domains.left_out.add(line, || word);
    }

    /// Notes the first row, which is not a heading.
    fn note_first(&mut self) {
        if let Some((line, word)) = self.first.take() {
            self.leave_out(line, word);
        }
    }

    fn finish(mut self) -> Domains {
        self.note_first();
        let names = self.rows.iter().map(|(domain, row)| {
            let Some((line, target)) = row else { return (domain.clone(), None) };
            let end = end_of_alias(&self.rows, domain);
            if end.is_none() {
                self.domains.not_used.add(*line, || match self.rows.contains_key(target) {
                    true => format!("{domain}: its aliases are a circle{NOT_USED}"),
                    false => format!("{domain}: {target} is not a domain of this input{NOT_USED}"),
                });
            }
            (domain.clone(), end)
        });
        self.domains.names = names.collect();
        self.domains
    }
}

/// The domain that an alias leads to, if the input has it.
fn end_of_alias(
    rows: &BTreeMap<Domain, Option<(usize, Domain)>>,
    alias: &Domain,
) -> Option<Domain> {
    /// The most steps, as in a configuration.
    const MAX_STEPS: usize = 8;
    let mut at = alias;
    for _ in 0..MAX_STEPS {
        match rows.get(at)? {
            Some((_, target)) => at = target,
            None => return Some(at.clone()),
        }
    }
    None
}

//------------ Lines ----------------------------------------------------------

impl Columns {
    /// The columns that a heading names; `None` if the line is not a heading.
    fn of_heading(text: &str) -> Option<Columns> {
        let delimiter = Cells::of(text, None).delimiter();
        let cells: Vec<_> = Cells::of(text, delimiter)
            .take(MAX_COLUMNS)
            .map(|cell| cell.trim_matches(is_around).to_ascii_lowercase())
            .collect();
        if cells.iter().any(|cell| name_in(cell).is_some()) {
            return None;
        }
        let find = |names: &[&str]| {
            names.iter().find_map(|name| cells.iter().position(|cell| cell == name))
        };
        let name = find(&NAME_HEADINGS)?;
        let beside = (cells[name] == "name").then(|| find(&[TARGET_BESIDE_NAME])).flatten();
        Some(Columns { delimiter, name, target: find(&TARGET_HEADINGS).or(beside) })
    }
}

/// What a cell names.
struct Named {
    domain: Domain,
    /// True for the domain of an address; `@example.org` is none.
    is_address: bool,
}

/// What a cell names. Of several words the first one counts, as in a list; a colon ends it, too.
fn name_in(cell: &str) -> Option<Named> {
    let word = cell.split([' ', '\t', ':']).next()?;
    let (local_part, domain) = word.rsplit_once('@').unwrap_or(("", word));
    let domain = Domain::parse(domain).ok()?;
    Some(Named { domain, is_address: !local_part.is_empty() })
}

/// True for a domain, not an address, that is another one.
fn is_other(cell: &str, domain: &Domain) -> bool {
    name_in(cell).is_some_and(|named| !named.is_address && named.domain != *domain)
}

/// True for a line of a frame: `+----+`, `----+----`, `─┼─`.
fn is_frame(text: &str) -> bool {
    let is_line = |c| matches!(c, '-' | '=' | '─' | '═' | '━');
    let is_other = |c| matches!(c, '+' | '|' | ' ' | '\u{2500}'..='\u{257f}');
    text.contains(is_line) && text.chars().all(|c| is_line(c) || is_other(c))
}

/// True for the line that counts the rows: `(2 rows)` of psql, in any language, and that of mysql.
fn is_count(text: &str) -> bool {
    let count = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let is_counted = |count: &str| {
        let words = count.split_once(' ');
        words.is_some_and(|(number, unit)| {
            number.parse::<u64>().is_ok() && unit.chars().all(char::is_alphabetic)
        })
    };
    let of_mysql = || text.split_once(" in set").is_some_and(|(count, _)| is_counted(count));
    count.is_some_and(is_counted) || of_mysql() || text.starts_with("Empty set")
}

/// The beginning of a text.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_WORD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(input: &str) -> Vec<String> {
        let domains = read(input.as_bytes()).expect(input);
        let names = domains.names.iter().map(|(name, target)| match target {
            Some(target) => format!("{name}>{target}"),
            None => name.to_string(),
        });
        let left_out = domains.left_out.first.iter().map(|(line, word)| format!("{line}:{word}"));
        let not_used = domains.not_used.first.iter().map(|(line, _)| format!("{line}?"));
        names.chain(left_out).chain(not_used).collect()
    }

    #[test]
    fn forms_of_the_same_domains() {
        let (org, net) = ("example.org", "example.net>example.org");
        for input in [
            // mysql -N, mysql -B, mysql.
            "example.org\tNULL\nexample.net\texample.org\n",
            "domain\talias_of\nexample.org\tNULL\nexample.net\texample.org\n",
            "+-------------+-------------+\n| domain      | alias_of    |\n+-------------+-------------+\n\
             | example.org | NULL        |\n| example.net | example.org |\n+-------------+-------------+\n\
             2 rows in set (0.001 sec)\n",
            // psql -At, psql, psql with lines of Unicode.
            "example.org|\nexample.net|example.org\n",
            "   domain    |  alias_of   \n-------------+-------------\n example.org | \n\
             \x20example.net | example.org\n(2 Zeilen)\n\n",
            "   domain    │  alias_of   \n─────────────┼─────────────\n example.org │ \n\
             \x20example.net │ example.org\n(2 rows)\n",
            // A heading of psql that names nothing.
            " ?column? | x \n---+---\n example.org | \n example.net | example.org\n",
            // sqlite3, -column, -box, -csv -header.
            "example.org|\nexample.net|example.org",
            "domain       alias_of   \n-----------  -----------\nexample.org             \n\
             example.net  example.org\n",
            "┌─────────────┬─────────────┐\n│   domain    │  alias_of   │\n├─────────────┼─────────────┤\n\
             │ example.org │             │\n│ example.net │ example.org │\n└─────────────┴─────────────┘\n",
            "domain,alias_of\r\nexample.org,\r\nexample.net,example.org\r\n",
            // sqlite3 -quote, with and without a heading.
            "'domain','alias_of'\n'example.org',NULL\n'example.net','example.org'\n",
            "'example.org',NULL\n'example.net','example.org'\n",
            "id, domain, alias_of\n1, example.org, \n2, example.net, example.org\n",
            "id  domain       alias_of\n--  -----------  -----------\n1   example.org\n\
             2   example.net  example.org\n",
            // CSV: other columns, quotes, semicolons.
            "id;\"domain\";description;target_domain\n1;\"example.org\";\"a;b \"\"c\"\"\";\n\
             2;\"example.net\";x,y;\"example.org\"\n",
            "Name,Domain_Name\nexample.org,\nexample.net,example.org\n",
            // A list, and other files.
            "# domains\n\nExample.ORG.\n  example.net example.org # an alias\n",
            "@example.net\t@example.org\n@example.org\n",
            "\u{feff}example.org;\nexample.net;example.org\n",
        ] {
            let expected = [net, org];
            assert_eq!(names(input), expected, "{input}");
        }
    }

    #[test]
    fn names_are_domains_or_addresses() {
        for (input, expected) in [
            ("b\u{fc}cher.example\nXN--Bcher-KVA.example\n", vec!["xn--bcher-kva.example"]),
            (
                "ann@example.org\nben@Example.org:x\n\"c,d\"@example.net,x\n",
                vec!["example.net", "example.org"],
            ),
            ("example.org: alice\nexample.net virtual\n", vec!["example.net", "example.org"]),
            (
                "ALL\nlocalhost\nNULL\n*.example.org\nexample.org\n|x|\n",
                vec!["example.org", "1:ALL", "2:localhost", "3:NULL", "4:*.example.org", "6:x"],
            ),
            // A column that is not a heading, an invalid domain name, a domain with quotes.
            ("substr(email)\nexample.org\n", vec!["example.org", "1:substr(email)"]),
            ("domain,x\n,y\n\"\",z\n", vec!["2:,y", "3:\"\",z"]),
            // The first line is a heading only without a domain.
            ("name example.org\n", vec!["1:name"]),
            // Addresses make no aliases.
            ("ann@example.org,ann@example.net\nexample.net\n", vec!["example.net", "example.org"]),
            ("example.org,ann@example.net\nexample.net\n", vec!["example.net", "example.org"]),
        ] {
            assert_eq!(names(input), expected, "{input}");
        }
        let domains = read(b"ann@example.org\n@example.org\nben@example.org\n").unwrap();
        assert_eq!(domains.addresses, 2);
    }

    #[test]
    fn aliases_lead_to_a_domain_of_the_input() {
        for (input, expected) in [
            // An alias that is a domain, too; one of an alias; one of itself.
            ("a.example\nb.example\na.example,b.example", vec!["a.example>b.example", "b.example"]),
            (
                "a.example,b.example\nb.example,c.example\nc.example,c.example",
                vec!["a.example>c.example", "b.example>c.example", "c.example"],
            ),
            // Unknown, a circle, two targets.
            ("a.example,mail.example.org\n", vec!["a.example", "1?"]),
            (
                "a.example,b.example\nb.example,a.example",
                vec!["a.example", "b.example", "1?", "2?"],
            ),
            (
                "a.example,b.example\na.example,c.example\nb.example\nc.example",
                vec!["a.example>b.example", "b.example", "c.example", "2?"],
            ),
        ] {
            assert_eq!(names(input), expected, "{input}");
        }
    }

    #[test]
    fn domains_that_are_not_read_are_noted() {
        for (input, expected) in [
            (
                "a.example, b.example, c.example\nb.example\n",
                vec!["a.example>b.example", "b.example", "1?"],
            ),
            ("a.example b.example, x\n", vec!["a.example", "1?"]),
            (
                "a.example, b.example c.example\nb.example\n",
                vec!["a.example>b.example", "b.example", "1?"],
            ),
            ("a.example;x;y;c.example;d.example\n", vec!["a.example", "1?"]),
            // Other columns of a table, an address, the same domain.
            ("domain,x,y\na.example,b.example,c.example\n", vec!["a.example"]),
            ("a.example,,ann@c.example,a.example\n", vec!["a.example"]),
        ] {
            assert_eq!(names(input), expected, "{input}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let long = "x".repeat(MAX_LINE + 1);
        for (input, refused) in [
            (&b"example.org\n\0"[..], Refused::NotText(2)),
            (b"\x1b[1mexample.org\n", Refused::NotText(1)),
            (b"\xff\xfee\0x\0", Refused::NotText(1)),
            (long.as_bytes(), Refused::LongLine(1)),
            (b"Read me\n\nThese are our domains:\n\nexample.org\nexample.net is new\n", {
                Refused::Sentence(3, "These are our domains:".to_owned())
            }),
            (b"ERROR 1146 (42S02) at line 3: no table\nexample.org\n", {
                Refused::Message(1, "ERROR 1146 (42S02) at line 3: no table".to_owned())
            }),
            // What is not text is named first.
            (b"example.org\nThis is a sentence\n\0\n", Refused::NotText(3)),
        ] {
            assert_eq!(read(input), Err(refused));
        }
        for heading in ["substr(email, instr(email, '@') + 1)", "our domain list"] {
            assert_eq!(names(&format!("{heading}\nexample.org\n"))[0], "example.org");
        }
        assert_eq!(read(&b"a\n".repeat(MAX_OTHERS + 2)), Err(Refused::TooManyOthers));
        let many: String = (0..=MAX_DOMAINS).map(|number| format!("{number}.example\n")).collect();
        assert_eq!(read(many.as_bytes()), Err(Refused::TooMany));
        assert_eq!(read(&b"\xff\n".repeat(100)).unwrap().left_out.count, 100);
    }

    #[test]
    fn a_last_line_without_an_end_may_be_cut() {
        for (input, unfinished) in [
            ("example.org\nexample.or", Some("example.or")),
            ("example.org\n", None),
            ("example.org\nEXAMP", Some("examp")),
            ("", None),
        ] {
            let domains = read(input.as_bytes()).unwrap();
            assert_eq!(domains.unfinished.as_deref(), unfinished, "{input}");
        }
    }
}
