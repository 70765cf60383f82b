//! The descriptions of the keys are correct: the program has these keys, words, ranges and
//! defaults, and the schema refuses nothing that the program accepts.

use super::source::{Key, Shape, Source, Word, literal, range};
use super::{example, schema};
use crate::common::{command, pages, source};
use mailsetup::clients;
use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check, entry, file};
use mailsetup::finding::Finding;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// Strings in a text that may name files.
const FILE_KEYS: [&str; 6] = ["list_files", "directory", "signing_", "template", "logo", "\\"];

fn load(text: &str) -> Result<Config, Vec<Finding>> {
    check::text(Path::new("c.toml"), text, &CHECKS)
}

/// The errors of the schema for each text.
fn judge(texts: &[(&str, String)]) -> Vec<Vec<String>> {
    let documents: Vec<_> = texts
        .iter()
        .map(|(definition, text)| {
            let table: toml::Table =
                toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            (definition, table)
        })
        .collect();
    let mut python = command("/usr/bin/python3");
    python.arg(source("tests/keys/validate.py"));
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
    let mut stdin = python.stdin.take().expect("a pipe");
    let input = json!({ "schema": schema::write(&Source::read()), "documents": documents });
    stdin.write_all(input.to_string().as_bytes()).expect("documents");
    drop(stdin);
    let output = python.wait_with_output().expect("python3");
    assert!(output.status.success(), "it needs the package python3-jsonschema");
    let found: Vec<_> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found.len(), texts.len());
    found
}

fn assert_all_good(texts: &[(&str, String)]) {
    for (found, (_, text)) in judge(texts).into_iter().zip(texts) {
        assert!(found.is_empty(), "the schema refuses {text}: {found:?}");
    }
}

//------------ schema ---------------------------------------------------------

#[test]
fn the_schema_takes_the_example_and_every_good_configuration() {
    let read = |path: &str| fs::read_to_string(source(path)).expect(path);
    let example = example::write(&Source::read(), &read("contrib/config.example.toml.in"));
    let is_setting = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let whole = example.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if is_setting(setting) => setting,
        _ => line,
    });
    let whole = whole.fold(String::new(), |text, line| format!("{text}{line}\n"));
    let mut texts = vec![example.clone(), whole];
    assert!(texts[1].lines().filter(|line| is_setting(line)).count() > 100);
    for path in [
        "fuzz/src/config.toml",
        "tests/accessibility/config.toml",
        "tests/fixtures/config/full.toml",
        "tests/fixtures/config/requests.toml",
    ] {
        texts.push(read(path));
    }
    for (_, page) in pages() {
        let blocks = page.split("```toml\n").skip(1);
        texts.extend(blocks.map(|rest| rest.split("```").next().expect("a block").to_owned()));
    }
    let manual = read("man/mailsetup.toml.5");
    let examples = manual.split(".Sh EXAMPLES").nth(1).expect("examples");
    let examples = examples.split(".Sh ").next().expect("examples");
    texts.extend(
        examples
            .split(".Bd -literal -offset indent\n")
            .skip(1)
            .map(|rest| rest.split(".Ed").next().expect("a block").to_owned()),
    );
    assert!(texts.len() > 15, "{} texts", texts.len());
    assert_all_good(&texts.into_iter().map(|text| ("", text)).collect::<Vec<_>>());
}

/// The schema accepts all inputs of the fuzzer that the program accepts.
#[test]
fn the_schema_refuses_nothing_that_the_program_takes() {
    let inputs = |folder: &str| {
        let entries = fs::read_dir(source("fuzz/corpus").join(folder)).expect("a corpus");
        let paths = entries.map(|entry| entry.expect("directory entry").path());
        let texts = paths.filter_map(|path| fs::read_to_string(path).ok());
        // No files are read here. A key is only missed if it is written with an escape.
        let names_files = |text: &String| FILE_KEYS.iter().any(|key| text.contains(key));
        texts.filter(|text| !names_files(text)).collect::<Vec<_>>()
    };
    let base = "domains.directory = '/'\n".to_owned() + include_str!("../../fuzz/src/config.toml");
    let base = load(&base).expect("a configuration");
    // TOML that only the program's parser accepts is skipped.
    let is_toml = |text: &String| toml::from_str::<toml::Table>(text).is_ok();
    let mut texts: Vec<_> = inputs("config_toml")
        .into_iter()
        .filter(|text| is_toml(text) && load(text).is_ok())
        .map(|text| ("", text))
        .collect();
    let whole = texts.len();
    let is_good =
        |text: &String| entry::of_file(Path::new("example.org.toml"), text, base.base()).is_ok();
    let files = inputs("domain_file").into_iter().filter(|text| is_toml(text) && is_good(text));
    texts.extend(files.map(|text| ("domain", text)));
    assert!(whole > 100 && texts.len() > whole + 100, "{whole} of {} texts", texts.len());
    assert_all_good(&texts);
}

/// The program refuses these, and an editor reports them while they are typed.
#[test]
fn the_schema_refuses_what_a_schema_can_refuse() {
    let texts = [
        ("", "[imap]\nhots = 'x'"),
        ("", "[imaps]"),
        ("", "imap = 5"),
        ("", "alias_of = 'x.example'"),
        ("", "[imap]\nport = 70000"),
        ("", "[imap]\nport = 0"),
        ("", "[imap]\nport = '993'"),
        ("", "[imap]\nsecurity = 'ssl'"),
        ("", "[imap]\nauth = 'plain'"),
        ("", "[imap]\nauth = 'none'"),
        ("", "[imap]\nauth = []"),
        ("", "[imap]\nauth = ['ntlm', 'ntlm']"),
        ("", "[imap]\nenabled = 'yes'"),
        ("", "[imap]\nhost = 'mail.example.org:993'"),
        ("", "[imap]\nusername = 'a b'"),
        ("", "[imap]\nalternatives = { port = 143 }"),
        ("", "[imap]\nalternatives = [{ username = 'x' }]"),
        ("", "[imap]\ndays_on_server = 3"),
        ("", "[smtp]\nenabled = false"),
        ("", "[pop3]\ndays_on_server = 65536"),
        ("", "[caldav]\nurl = 'http://dav.example.org/'"),
        ("", "[caldav]\nurl = 'https://dav.example.org/\u{e4}'"),
        ("", "[oauth2]\nissuer = 'x'"),
        ("", "[provider]\nname = ' '"),
        ("", "[[provider.documentation]]\nurl = 'https://example.org/'"),
        ("", "[apple]\nidentifier = 'org example'"),
        ("", "[apple]\nsigning_key = 'x'"),
        ("", "[apple.description]\n'a language' = 'x'"),
        ("", "[autodiscover]\nredirect_url = 'https://example.org/'"),
        ("", "[page]\ncolor = 'red'"),
        ("", "[domains]\nanswer = 'all'"),
        ("", "[domains]\nlist_files = 'domains.txt'"),
        ("", "[log]\naddresses = true"),
        ("", "[metrics]\npath = 'metrics'"),
        ("", "[limits]\nconnections = 100001"),
        ("", "[domain.example.org]\nimap.port = 993"),
        ("", "[domain.'x.example'.limits]\nconnections = 1"),
        ("", "[domain.'x.example'.apple]\nsigning_key = 'x'\nsigning_certificate = 'y'"),
        ("", "[domain.'x.example']\nalias_of = 'y.example'\nimap.port = 1\n[domain.'y.example']"),
        (
            "",
            "[domain.'x.example'.autodiscover]\nredirect_address = 'ann@y.example'\nredirect_url = 'https://y.example/'",
        ),
        ("", "[imap]\nhost = ''"),
        ("", "[imap]\nhost = 'a..b'"),
        ("", "[imap]\nhost = '.a'"),
        ("", "[imap]\nhost = 'a_b.c'"),
        ("", "[imap]\nhost = '-a.b'"),
        ("", "[imap]\nhost = 'a-'"),
        ("", "[imap]\nhost = '[::1]'"),
        ("", "[imap]\nhost = '%EMAILDOMAIN%_'"),
        ("", "[imap]\nalternatives = [{ host = 'a..b' }]"),
        ("", "[smtp]\nauth = ['none', 'password']"),
        ("", "[smtp]\nauth = ['none', 'none']"),
        ("", "[caldav]\nurl = 'https://'"),
        ("", "[caldav]\nurl = 'https:///x'"),
        ("", "[caldav]\nurl = 'https://?x'"),
        ("", "[caldav]\nurl = 'https://x:0/'"),
        ("", "[caldav]\nurl = 'https://x:/'"),
        ("", "[caldav]\nurl = 'https://x:123456/'"),
        ("", "[caldav]\nurl = 'https://ann@x.example/'"),
        ("", "[caldav]\nurl = 'https://[::1]/'"),
        ("", "[caldav]\nurl = 'https://a..b/'"),
        ("", "[caldav]\nurl = 'https://a_b/'"),
        ("", "[caldav]\nurl = 'https://x/100%'"),
        ("", "[caldav]\nurl = 'https://x/%2'"),
        ("", "[caldav]\nurl = 'https://x/%zz'"),
        ("", "[provider]\nname = \"a\\nb\""),
        ("", "[oauth2]\nissuer = \"a\\r\\nb\""),
        ("", "[domain.'']"),
        ("", "[domain.' ']"),
        ("", "[domain.'x y.example']"),
        ("", "[domain.'ann@x.example']"),
        ("", "[domain.'https://x.example/']"),
        ("", "[domain.'*x.example']"),
        ("", "[domain.'a.*.x.example']"),
        ("", "[domain.'*.x']"),
        ("", "[domain.'**']"),
        ("", "[domain.x]"),
        ("", "[domain.'x..example']"),
        ("", "[domain.'%EMAILDOMAIN%.example']"),
        ("", "[domain.'x.example']\nalias_of = 'y'"),
        ("", "[domain.'x.example'.autodiscover]\nredirect_address = \"\\nx@y.org\""),
        ("", "[domain.'x.example'.autodiscover]\nredirect_address = 'x@y.org '"),
        ("", "[domain.'x.example'.autodiscover]\nredirect_address = 'x@y..org'"),
        ("", "[domain.'x.example'.autodiscover]\nredirect_address = '@y.org'"),
        ("domain", "[domain.'x.example']"),
        ("domain", "imap.port = 70000"),
        ("domain", "log.requests = true"),
    ];
    let base = load("domains.directory = '/'\n").expect("a configuration");
    for (definition, text) in texts {
        let is_refused = match definition {
            "" => load(text).is_err(),
            _ => entry::of_file(Path::new("x.example.toml"), text, base.base()).is_err(),
        };
        assert!(is_refused, "the program takes {text}");
    }
    let texts = texts.map(|(definition, text)| (definition, text.to_owned()));
    for (found, (_, text)) in judge(&texts).into_iter().zip(&texts) {
        assert!(!found.is_empty(), "the schema takes {text}");
    }
}

//------------ program --------------------------------------------------------

/// A value of the right type.
fn any_value(key: &Key) -> &'static str {
    match key.shape {
        Shape::Flag => "true",
        Shape::Number => "1",
        Shape::WordOrWords(_) | Shape::Texts | Shape::Tables(_) => "[]",
        Shape::Table(_) | Shape::TextByLanguage => "{}",
        Shape::Text | Shape::Word(_) => "''",
    }
}

/// Which clients a setting breaks stands in the table of clients, and `check` says it. Comments that
/// repeated it named others, or fewer.
#[test]
fn comments_of_keys_do_not_list_the_clients_that_check_names() {
    // What is not in the table of clients: which of them read a value at all.
    const NAMED: [&str; 7] = [
        "activesync",
        "autodiscover",
        "autodiscover.dav",
        "oauth2",
        "pop3.leave_on_server",
        "provider.documentation",
        "provider.short_name",
    ];
    let source = Source::read();
    // ActiveSync is also a protocol.
    let names = clients::all().map(|client| client.name).filter(|name| *name != "ActiveSync");
    let names: Vec<_> = names.collect();
    let mut named = BTreeSet::new();
    let mut texts: Vec<_> = source.tables().map(|it| (it.name.clone(), it, it)).collect();
    for table in source.tables() {
        let keys = source.keys(table).into_iter();
        texts.extend(keys.map(|key| (format!("{}.{}", table.name, key.name), table, key)));
    }
    for (path, table, key) in texts {
        let own = key.doc.own_row(&table.name, "").unwrap_or_default();
        let text = format!("{} {own}", key.doc.paragraphs.join(" "));
        // Outlook has several entries.
        if names.iter().any(|name| text.contains(name)) || text.contains("Outlook") {
            named.insert(path);
        }
    }
    assert_eq!(named.iter().map(String::as_str).collect::<Vec<_>>(), NAMED);
}

/// Every table is tested with every key of all others: the source has the same keys as the program.
#[test]
fn each_table_has_the_keys_of_the_program() {
    let source = Source::read();
    let tables: Vec<_> = source.tables().collect();
    let mut tried = 0;
    for table in &tables {
        let own: Vec<_> = source.keys(table).iter().map(|key| key.name.clone()).collect();
        for key in tables.iter().flat_map(|table| source.keys(table)) {
            for (is_domain, header) in [(false, ""), (true, "domain.'x.example'.")] {
                let text = format!("[{header}{}]\n{} = {}\n", table.name, key.name, any_value(key));
                let errors = load(&text).err().unwrap_or_default();
                let is_unknown = |error: &Finding| {
                    ["unknown-key", "pop3-only"].contains(&error.code)
                        || error.message.contains("is only allowed")
                };
                let path = [table.name.as_str(), key.name.as_str()];
                let path = &&path[..];
                let is_here = own.contains(&key.name)
                    && match is_domain {
                        false => !file::DOMAIN_ONLY.contains(path),
                        true => {
                            !file::TOP_ONLY.contains(path)
                                && !file::WHOLE_FILE.contains(&table.name.as_str())
                        }
                    };
                assert_eq!(!errors.iter().any(is_unknown), is_here, "{text}: {errors:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

/// Unusual spellings that the program accepts, and the patterns, too.
#[test]
fn the_schema_takes_every_spelling_of_a_value() {
    let texts = [
        "[imap]\nhost = 'B\u{fc}cher.%EMAILDOMAIN%.'",
        "[imap]\nhost = 'mail-%EMAILDOMAIN%'",
        "[imap]\nhost = '%EMAILDOMAIN%%EMAILDOMAIN%'",
        "[imap]\nhost = '\u{1f4e7}.example'",
        "[imap]\nhost = '192.0.2.1'",
        "[imap]\nhost = 'xn--bcher-kva'",
        "[smtp]\nauth = ['none']",
        "[smtp]\nauth = 'none'",
        "[caldav]\nurl = 'https://DAV.%EMAILDOMAIN%.:0443?x=%20#y'",
        "[caldav]\nurl = 'https://a--b.c/%EMAILDOMAIN%%2F[a]@b:c'",
        "[caldav]\nurl = 'https://192.0.2.1'",
        "[provider]\nname = \" \\n a b\\t\\n \"",
        "[apple]\ndescription = { en = \"a\\nb\" }",
        "[domain.'B\u{fc}cher\u{3002}example']",
        "[domain.'X-Y.Example.']",
        "[domain.'*.B\u{fc}cher.Example.']",
        "[domain.'*']",
        "[domain.'\u{1f4e7}.example']",
        "[domain.'x.example'.autodiscover]\nredirect_address = '\"a b\"@%EMAILDOMAIN%'",
        "[domain.'x.example'.autodiscover]\nredirect_address = '%EMAILLOCALPART%@b\u{fc}.Example.'",
    ];
    for text in texts {
        assert!(load(text).is_ok(), "the program refuses {text}: {:?}", load(text).err());
    }
    assert_all_good(&texts.map(|text| ("", text.to_owned())));
}

/// The number of list files that the description names is that of the program.
#[test]
fn the_largest_number_of_list_files_is_that_of_the_program() {
    let list = |count| format!("[domains]\nlist_files = [{}]\n", "'/dev/null',".repeat(count));
    let is_refused = |count| {
        let errors = load(&list(count)).err().unwrap_or_default();
        errors.iter().any(|error| error.code == "too-many-lists")
    };
    assert_eq!((is_refused(100), is_refused(101)), (false, true));
    let found = judge(&[("", list(100)), ("", list(101))]);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1], "{found:?}");
}

/// The description of a domain lists the keys that it does not have.
#[test]
fn the_description_of_a_domain_names_what_it_does_not_have() {
    let about = Source::read().domain.paragraphs[0].clone();
    for table in file::WHOLE_FILE.iter().filter(|table| **table != "domain") {
        assert!(about.contains(&format!("`[{table}]`")), "{table}: {about}");
    }
}

#[test]
fn ranges_are_those_of_the_program() {
    let source = Source::read();
    let mut count = 0;
    for table in source.tables() {
        for key in source.keys(table) {
            let Some((first, last)) = range(key) else { continue };
            for (number, is_good) in
                [(first - 1, false), (first, true), (last, true), (last + 1, false)]
            {
                let text = format!("[{}]\n{} = {number}\n", table.name, key.name);
                assert_eq!(load(&text).is_ok(), is_good, "{text}");
            }
            count += 1;
        }
    }
    assert!(count > 8, "{count}");
}

/// The program lists the words that it accepts.
#[test]
fn words_are_those_of_the_program() {
    let source = Source::read();
    let mut count = 0;
    for table in source.tables() {
        for key in source.keys(table) {
            if !matches!(key.shape, Shape::Word(_) | Shape::WordOrWords(_)) {
                continue;
            }
            let text = |word: &str| format!("[{}]\n{} = '{word}'\n", table.name, key.name);
            let errors = load(&text("0000000000")).expect_err("a word that no key has");
            let known = errors[0].message.split("expected one of").nth(1).expect("words");
            let known: BTreeSet<_> = known.split('`').skip(1).step_by(2).collect();
            let names = |words: &[&Word]| -> BTreeSet<String> {
                words.iter().map(|word| word.name.clone()).collect()
            };
            let words = names(&source.words(key, &table.name));
            assert!(words.iter().all(|word| known.contains(word.as_str())), "{words:?}");
            for word in known {
                let errors = load(&text(word)).err().unwrap_or_default();
                // `listed` alone is another kind of error.
                let is_taken = errors.iter().all(|error| error.code != "auth");
                assert_eq!(is_taken, words.contains(word), "{word}: {errors:?}");
            }
            count += 1;
        }
    }
    assert!(count > 8, "{count}");
}

/// With an explicit default, the settings are as without it; with another value, they differ.
#[test]
fn defaults_are_those_of_the_program() {
    let source = Source::read();
    let settings = |text: &str| format!("{:?}", load(text).expect(text));
    let mut count = 0;
    for table in source.tables() {
        for key in source.keys(table) {
            let default = |key: &Key| {
                key.doc.row(&table.name, "Default").and_then(literal).map(str::to_owned)
            };
            let Some(value) = default(key) else { continue };
            // A port also implies the security, and is inherited only together with it.
            let with = match key.name.as_str() {
                "port" => {
                    let keys = source.keys(table);
                    let security = keys.iter().find(|key| key.name == "security").expect("a key");
                    format!("security = {}\n", default(security).expect("a default"))
                }
                // Without a source, the other keys are for domains that have one.
                _ if table.name == "login" => "userdb = '/run/userdb'\n".to_owned(),
                // Services without a URL are disabled.
                "username" if source.keys(table).iter().any(|key| key.name == "url") => {
                    "url = 'https://dav.example.org/'\n".to_owned()
                }
                _ => String::new(),
            };
            let header = format!("[{}]\n{with}", table.name);
            let written = settings(&format!("{header}{} = {value}\n", key.name));
            // All domains are answered, by default and explicitly.
            let expected = settings(&header).replace("answer: AnyByDefault", "answer: Any");
            assert_eq!(
                written.replace("answer: AnyByDefault", "answer: Any"),
                expected,
                "[{}] {} = {value}",
                table.name,
                key.name
            );
            let other = match key.shape {
                Shape::Flag => (value != "true").to_string(),
                Shape::Number if table.name == "login" => "70".to_owned(),
                Shape::Number => "7".to_owned(),
                Shape::Text => "'other'".to_owned(),
                _ => {
                    let words = source.words(key, &table.name);
                    let other = words.iter().find(|word| !value.contains(&word.name));
                    format!("'{}'", other.expect("another word").name)
                }
            };
            let text = format!("{header}{} = {other}\n", key.name);
            if let Ok(config) = load(&text) {
                assert_ne!(format!("{config:?}"), expected, "{text}");
            } else {
                // One server must be enabled, `listed` needs a named domain, and 7 letters are too many.
                let may_be_refused = ["enabled", "answer", "directory_letters"];
                assert!(may_be_refused.contains(&key.name.as_str()), "{text}");
            }
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// A port implies a security, and a security a port, as their defaults describe.
#[test]
fn ports_and_protections_belong_together_as_described() {
    let source = Source::read();
    let settings = |text: &str| format!("{:?}", load(text).expect(text));
    for table in ["imap", "pop3", "smtp"] {
        let keys = source.keys(source.table(table));
        let other = |name: &str| {
            let key = keys.iter().find(|key| key.name == name).expect("a key");
            let default = key.doc.row(table, "Default").expect("a default");
            let (_, other) = default.split_once(", or ").expect("another default");
            let written = format!("{name} = {}\n", literal(other).expect("a value"));
            (written, other.rsplit(' ').next().expect("a word").to_owned())
        };
        let ((port, _), (security, number)) = (other("port"), other("security"));
        assert_eq!(port, format!("port = {number}\n"), "[{table}]");
        let both = settings(&format!("[{table}]\n{port}{security}"));
        assert_eq!(settings(&format!("[{table}]\n{port}")), both, "{port}");
        assert_eq!(settings(&format!("[{table}]\n{security}")), both, "{security}");
        assert_ne!(settings(&format!("[{table}]\n")), both);
    }
}
