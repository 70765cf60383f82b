//! `mailsetup import` of documents: autoconfig, responses to Autodiscover, profiles, and the scripts in PHP
//! that print them. What is made of each fixture is compared in `import.rs`.

use crate::common::{Sandbox, command, program};
use mailsetup::commands::fit;
use mailsetup::draft::{self, Draft};
use mailsetup::import::{autoconfig, php, pox, profile};
use std::path::Path;
use std::time::{Duration, Instant};

/// Reads a file.
type Reader = fn(&str, &[u8]) -> Result<Draft, String>;

/// The readers.
const READERS: [(&str, Reader); 4] = [
    ("autoconfig ", autoconfig::read),
    ("pox ", pox::read),
    ("profile ", profile::read),
    ("php ", php::read),
];

/// The configuration and the notes.
fn imported(mut draft: Draft) -> (String, String) {
    let target = Path::new("config.toml");
    draft.settle();
    fit(&mut draft, target);
    let notes = draft.notes.iter().map(|note| format!("{note}\n")).collect();
    (draft::write(&draft), notes)
}

/// Files that are hostile end with one line, and soon.
#[test]
fn hostile_documents_end_with_one_line() {
    let many = |text: &str, count: usize| text.repeat(count);
    let bomb = {
        let levels = (1..9).map(|at| format!("<!ENTITY l{at} \"&l{};&l{};\">", at - 1, at - 1));
        let levels: String = levels.collect();
        format!(
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY l0 \"x\">{levels}]><clientConfig>&l8;</clientConfig>"
        )
    };
    let mut binary: Vec<u8> = (0..4096).map(|at: u32| at.to_le_bytes()[0]).collect();
    binary[0] = 0x30;
    binary[1] = 0x82;
    let megabytes = 4 * 1024 * 1024 - 100;
    let fill = |start: &str, text: &str| start.to_owned() + &many(text, megabytes / text.len());
    let mut hostile: Vec<Vec<u8>> = vec![
        Vec::new(),
        binary,
        vec![b' '; 64 * 1024 * 1024],
        b"bplist00\xd1\x01\x02".to_vec(),
        b"-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n".to_vec(),
        vec![0xff; 1000],
        bomb.into_bytes(),
    ];
    let texts = [
        fill("<clientConfig>", "<a>"),
        fill("<clientConfig>", "<a/>"),
        fill("<clientConfig ", "a='b' "),
        fill("<plist>", "<dict><key>PayloadContent</key>"),
        fill("<plist><dict>", "<key>"),
        fill("", "<clientConfig"),
        fill("", "<Autodiscover></Autodiscover"),
        fill("server=a\n", "<clientConfig $server "),
        fill("<?php echo <<<END\n<clientConfig>\n", "text {$a} $b[c] ${d} \\n\n"),
        fill("<?php echo \"<clientConfig>", "{$a[\"{$b[\""),
        fill("<?php $a = '", "\\'\\"),
        fill("<?php ", "{$a = [$a];"),
        fill("<?php ", "("),
        fill("<?php $a = ", "[[["),
        fill("<?php $a = 1", " ? 1"),
        fill("<?php $a", "[1]"),
        fill("<?php ", "if ($a) "),
        fill("<?php ", "if ($a): "),
        fill("<?php ", "if (f()) { $a = 1; } else { $b = 2; }"),
        fill("<?php $a = 'b'; ", "$a = $a . $a; "),
        fill("<?php function f() { f(); f(); } f();", " f();"),
        fill("<?php ", "<<<a"),
        fill("<?php ", "<<<a\n"),
        fill("<?php ", "//?><?"),
        fill("<?php ", "/* "),
        fill("", "<?php <clientConfig>"),
        fill("<?php echo \"", "${a"),
        fill("<?php echo \"", "$a[b"),
        fill("<?php $d = new DOMDocument(); $e = $d;", "$e->appendChild($e); echo $d->saveXML();"),
        fill("<?php ", "$a[] = [1, 2, 3]; $b = $a; "),
        fill("<?php foreach ([1,2,3,4,5,6,7,8,9] as $a) ", "foreach ([1,2,3,4,5,6,7,8,9] as $a) "),
        fill(
            "<?php $a = str_replace('a', 'aaaaaaaa', 'a');",
            "$a = str_replace('a', 'aaaaaaaa', $a);",
        ),
        fill("<?php ", "switch ($a) { case 1: "),
        fill("<?php ", "class a { const b = "),
    ];
    hostile.extend(texts.into_iter().map(String::into_bytes));
    for (at, bytes) in hostile.iter().enumerate() {
        let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        for (name, reader) in READERS {
            let begin = Instant::now();
            let result = reader("hostile", bytes);
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(20), "{name}{at}: {took:?} for {start:?}");
            match result {
                Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{name}: {why}"),
                // Nothing is found in it.
                Ok(draft) => assert!(draft.top.servers.is_empty(), "{name}{at}: {start:?}"),
            }
        }
    }
}

/// A document that is too large is not called nested, and what is not named one by one is counted.
#[test]
fn limits_have_messages_of_their_own() {
    let document = |inside: &str| {
        format!("<clientConfig><emailProvider>{inside}</emailProvider></clientConfig>")
    };
    for (inside, message) in [
        ("<a/>".repeat(5000), "the document has more than 4096 elements (line 1)"),
        ("<a>".repeat(40), "the document is nested more than 32 levels deep (line 1)"),
        ("<a>".to_owned(), "the document is not well-formed (line 1)"),
    ] {
        let error = autoconfig::read("x", document(&inside).as_bytes()).expect_err("an error");
        assert_eq!(error, message);
    }
    let inside = "<colour>blue</colour>\n".repeat(25);
    let draft = autoconfig::read("x", document(&inside).as_bytes()).expect("a draft");
    let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 21, "{notes:?}");
    assert_eq!(notes[20], "not carried over: x:25: 5 more unknown elements up to here");
    let script = "<?php if ($a) { $b = 1; } else { $b = 2; }\n".to_owned()
        + &"if (f()) { $b = 'x'; }\n".repeat(60)
        + "?><clientConfig><emailProvider/></clientConfig>";
    let draft = php::read("x", script.as_bytes()).expect("a draft");
    let last = draft.notes.last().expect("a note").to_string();
    assert!(last.ends_with(": more than 40 parts of the script, from here on"), "{last}");
}

/// The principal of calendars is in the URL; what cannot be there is named.
#[test]
fn principals_of_calendars_are_carried_or_named() {
    let made = |principal: &str| {
        let profile = format!(
            "<plist><dict><key>PayloadContent</key><array><dict>\
             <key>PayloadType</key><string>com.apple.caldav.account</string>\
             <key>CalDAVHostName</key><string>dav.example.org</string>\
             <key>CalDAVPort</key><integer>8443</integer>\
             <key>CalDAVPrincipalURL</key><string>{principal}</string>\
             </dict></array></dict></plist>"
        );
        let draft = profile::read("x", profile.as_bytes()).expect("a draft");
        let url = draft.top.value("caldav.url").map(|url| url.value.clone());
        let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
        (url, notes.join("\n"))
    };
    let value = |url: &str| Some(draft::Value::from(url));
    let https = |path| value(&format!("https://dav.example.org:8443{path}"));
    assert_eq!(made("/dav/"), (https("/dav/"), String::new()));
    assert_eq!(made("dav/%EMAILADDRESS%/"), (https("/dav/"), String::new()));
    assert_eq!(made(""), (https("/"), String::new()));
    let url = "https://dav.example.org/dav/";
    assert_eq!(made(url), (value(url), String::new()));
    let url = "https://other.example.org/dav/";
    let note = "not carried over: x:1: CalDAVHostName dav.example.org: CalDAVPrincipalURL is on another host";
    assert_eq!(made(url), (value(url), note.to_owned()));
    let note = "not carried over: x:1: CalDAVPrincipalURL http://dav.example.org/";
    assert_eq!(made("http://dav.example.org/"), (None, note.to_owned()));
}

/// Methods of different classes may have one name: what looks like a circle may be none.
#[test]
fn functions_that_call_themselves_are_followed_once() {
    let script = "<?php
        class Reader { function read() { return $this->file->read(); } }
        function page($n) { return $n > 9 ? '' : page($n + 1); }
        page(1);
        ?><clientConfig><emailProvider>
        <domain>example.org</domain><displayName><?= page(1) ?>Example</displayName>
        </emailProvider></clientConfig>";
    let draft = php::read("script", script.as_bytes()).expect("a draft");
    assert_eq!(draft.domains.len(), 1);
    let note = draft.notes.iter().find(|note| note.text.contains("displayName"));
    assert!(note.expect("a note").text.contains("page($n + 1)"), "{:?}", draft.notes);
}

/// What is not known may be anywhere, also in the name of an element.
#[test]
fn messages_show_what_is_not_known() {
    let script = "<?php $a = f(); ?><clientConfig><emailProvider><<?= $a ?>>x</<?= $a ?>>
        <documentation url='https://www.example.org/'><descr lang='<?= $a ?>'>x</descr>
        </documentation></emailProvider></clientConfig>";
    let draft = php::read("script", script.as_bytes()).expect("a draft");
    let notes: String = draft.notes.iter().map(ToString::to_string).collect();
    assert!(notes.contains("unknown element `f()` x"), "{notes}");
    assert!(!format!("{draft:?}").contains("fdd0"), "{draft:?}");
}

/// A script is followed in linear time: eight times the text takes about eight times as long.
#[test]
fn scripts_are_read_in_linear_time() {
    let script = |count: usize| {
        let line = "$name = \"mail.{$domain}\"; // a comment\n$list['key'] = 'value' . $name;\n";
        "<?php\n".to_owned()
            + &line.repeat(count)
            + "?>\n<clientConfig><emailProvider/></clientConfig>"
    };
    let time = |count: usize| {
        let script = script(count);
        let begin = Instant::now();
        for _ in 0..4 {
            php::read("script", script.as_bytes()).expect("a draft");
        }
        begin.elapsed()
    };
    time(100);
    let (short, long) = (time(300), time(2400));
    assert!(long < short * 40 + Duration::from_millis(50), "{short:?} and {long:?}");
}

/// Our own documents, imported, give a configuration that answers the same.
#[test]
fn our_own_documents_come_back() {
    let sandbox = Sandbox::new();
    let config = "provider.name = \"Example Mail\"\nprovider.short_name = \"Example\"\n\
        provider.webmail = \"https://webmail.example.org/\"\n\
        [[provider.documentation]]\nurl = \"https://www.example.org/help\"\n\
        title = { de = \"Hilfe\", en = \"Help\" }\n\
        [imap]\nhost = \"imap.example.org\"\nalternatives = [{ port = 143, security = \"starttls\" }]\n\
        [pop3]\nhost = \"pop.example.org\"\nleave_on_server = true\ndays_on_server = 14\n\
        [smtp]\nhost = \"smtp.example.org\"\nsecurity = \"tls\"\n\
        [managesieve]\nenabled = true\nhost = \"imap.example.org\"\n\
        [caldav]\nurl = \"https://dav.example.org/calendars/\"\n\
        [carddav]\nurl = \"https://dav.example.org/contacts/\"\n\
        [webdav]\nurl = \"https://files.example.org/\"\n\
        [jmap]\nurl = \"https://jmap.example.org/.well-known/jmap\"\n\
        [domain.\"example.org\"]\n";
    // Outlook's documents have no alternatives and no names; Apple's have one server to read mail.
    let simple = "[imap]\nhost = \"imap.example.org\"\n\
        [pop3]\nenabled = false\n\
        [smtp]\nhost = \"smtp.example.org\"\nsecurity = \"tls\"\n\
        username = \"%EMAILLOCALPART%\"\n\
        [apple]\nidentifier = \"net.example.mail\"\n[provider]\nname = \"Example Mail\"\n\
        [domain.\"example.org\"]\n";
    for (document, reader, config) in [
        ("thunderbird", autoconfig::read as Reader, config),
        ("outlook", pox::read, simple),
        ("apple", profile::read, simple),
    ] {
        let shown = |name: &str, text: &str| {
            let file = sandbox.write(name, text);
            let mut show = command(program());
            let show =
                show.arg("--config").arg(&file).args(["show", "ann@example.org", "--client"]);
            let output = show.arg(document).output().expect("program");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("UTF-8")
        };
        let before = shown("before.toml", config);
        let draft = reader(document, before.as_bytes()).expect("a draft");
        let (made, notes) = imported(draft);
        let after = shown("after.toml", &made);
        let of_name = |text: &str| text.replace("Example Mail", "example.org");
        match document {
            // The names of a provider are not in it.
            "outlook" => assert_eq!(after, before, "{made}\n{notes}"),
            // The description is that of the mailbox, and made anew.
            "apple" => assert_eq!(of_name(&after), of_name(&before), "{made}\n{notes}"),
            _ => assert_eq!(after, before, "{made}\n{notes}"),
        }
    }
}
