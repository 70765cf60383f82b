//! Custom templates are not trusted. Whatever a template contains, it is refused with file and
//! line, or it works; it uses a limited amount of work, memory and stack.

use crate::common::http::{self, Request};
use crate::common::{Process, Sandbox, command, free_port, program, source, wait_until};
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// The limit of the address space, in KiB: a debug build with OpenSSL uses some 60 MB of it.
const MEMORY: u32 = 160 * 1024;
/// The stack of its first thread, in KiB: less than the 2 MiB of other threads.
const STACK: u32 = 1024;

/// The exit status and the output of `check` for a template, with little memory and stack.
fn check(template: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    sandbox.write("f", template);
    let config = sandbox.write("c.toml", "page.template = 'f'\n");
    let limits = format!("ulimit -v {MEMORY} -s {STACK}; exec \"$@\"");
    let mut shell = command("/bin/bash");
    shell.args(["-c", &limits, "bash"]).arg(program()).arg("--config").arg(config).arg("check");
    let output = shell.output().expect("bash");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn refused(template: &str, line: &str, told: &str) {
    let (status, text) = check(template);
    let start = &template[..template.len().min(300)];
    assert_eq!(status, Some(1), "{start}: {text}");
    assert!(text.contains(&format!("/f{line}: page.template: ")), "{start}: {text}");
    assert!(text.contains(told), "{start}: {told}: {text}");
    assert_eq!(text.lines().count(), 2, "{start}: {text}");
}

/// The attack is in the second line, since the message names the line.
fn attack(template: &str, told: &str) {
    refused(&format!("<p>{{{{ address }}}}\n{template}"), ":2:1", told);
}

//------------ a template is one ----------------------------------------------

/// `page.template = "../key.pem"` made `GET /` print the private key.
#[test]
fn a_file_of_another_kind_is_no_template() {
    const NO_HTML: &str = "it is not an HTML template: it has to begin with `<`";
    const NOTHING: &str = "it is not a template: `{{";
    for (content, told) in [
        (
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
            NO_HTML,
        ),
        ("-----BEGIN PRIVATE KEY-----\n{{ address }}\n", NO_HTML),
        ("root:x:0:0:root:/root:/bin/bash\n", NO_HTML),
        ("[domain.'example.org']\nprovider.name = '{{ x }}'\n", NO_HTML),
        ("", NO_HTML),
        (" \n\u{feff}", NO_HTML),
        ("{ \"a\": 1 }", NO_HTML),
        ("{{ address }}", NO_HTML),
        ("{# a #} {% if address %}{{ address }}{% endif %}", NO_HTML),
        ("<?xml version='1.0'?><plist><dict/></plist>", NOTHING),
        ("<!DOCTYPE html><title>Mail</title>", NOTHING),
        ("<p>{# {{ address }} #}", NOTHING),
        ("<p>{% raw %}{{ address }}{% endraw %}", NOTHING),
    ] {
        refused(content, ":1:1", told);
    }
    let (status, text) = check(b"<p>{{ address }}\xff");
    assert!(status == Some(1) && text.contains("is not UTF-8"), "{text}");
}

/// Templates as admins write them.
#[test]
fn good_templates_are_good() {
    let ours = fs::read_to_string(source("src/page/template.html")).expect("template");
    for template in [
        ours.as_str(),
        "<p>{{ address }}",
        "\u{feff}\n  <p>{{ address }}",
        "{# mine #}\n<p>{{ address }}</p>",
        "{%- macro b(x, y=\"z\") -%}<b>{{ x }}{{ y }}</b>{%- endmacro -%}{{ b(typed) }}{{ b(lang, y=dir) }}",
        "<p>{% for s in servers if s.protocol in [\"imap\", \"smtp\"] %}{{ loop.index + 1 }}{{ s.host }}{% else %}-{% endfor %}",
        "<p>{% set names = {\"imap\": \"IMAP\", \"smtp\": \"SMTP\"} %}{{ names[\"imap\"] }}{{ names.smtp|lower }}",
        "<p>{% set first = servers[0] %}{{ first.host|upper }} {{ servers|length }} {{ servers[-1].port }}",
        "<p>{% set x %}<b>{{ address }}</b>{% endset %}{{ x }}{{ \"a\" ~ typed ~ 1 }}",
        "<p>{% if provider is defined and not provider is none %}{{ provider.name|default(\"x\")|replace(\"a\", \"b\")|trim }}{% endif %}",
        "<p>{% if stage == \"form\" %}1{% elif stage == \"settings\" %}2{% elif stage == \"invalid\" %}3{% else %}4{% endif %}{{ t.title }}",
        "<p>{{ \"a\" if (stage == \"form\" and (lang == \"en\" or lang == \"de\")) else \"b\" }}{{ servers[0].port - 1 }}",
        "<p>{% with a = 1, b = \"x\" %}{{ a }}{{ b }}{% endwith %}{% filter upper %}a{{ lang }}{% endfilter %}",
        "<p>{% macro box() %}<div>{{ caller() }}</div>{% endmacro %}{% call box() %}{{ address }}{% endcall %}",
        "<p>{% macro two() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) two() %}{{ a }}{{ b }}{% endcall %}",
        "<p>{{ servers.0.host }}{{ servers.0.port + 1 }}{{ t.none[0] if t.none is defined }}",
        "<p>{{ [\"a\", \"b\", lang]|length if false else t.steps is undefined }}"
            .replace(", lang", "")
            .as_str(),
        "<p>{% for key in t %}{{ key }}{% endfor %}{{ t.apple_steps|join(\"; \") }}{{ t.apple_steps|first }}",
        "<p>{% raw %}{{ 1+1+1 }}{% endraw %}{{ lang }}{# {{ 1+1 }} #}",
    ] {
        let (status, text) = check(template);
        assert_eq!(status, Some(0), "{template}: {text}");
    }
}

//------------ attacks --------------------------------------------------------

/// A `page.template` of 200,000 `1+1+…` overflowed the stack and ended the service.
#[test]
fn a_long_chain_does_not_overflow_the_stack() {
    let sum = vec!["1"; 200_000].join("+");
    let (status, text) = check(format!("<p>{{{{ {sum} }}}}"));
    assert!(status == Some(1) && text.contains("it is larger than 64 KiB"), "{text}");
    let times = |link: &str, bytes: usize| link.repeat(bytes / link.len());
    const SIZE: usize = 60_000;
    for (open, link, close) in [
        ("{{ 1", "+1", " }}"),
        ("{{ 1", "-1", " }}"),
        ("{{ 1", "~1", " }}"),
        ("{{ 1", " and 1", " }}"),
        ("{{ 1", "==1", " }}"),
        ("{{ 1", " in t", " }}"),
        ("{{ ", "-", "1 }}"),
        ("{{ ", "- ", "1 }}"),
        ("{{ ", "not ", "1 }}"),
        ("{{ ", "(", "1 }}"),
        ("{{ ", "[", " }}"),
        ("{{ ", "{1:", " }}"),
        ("{{ ", "t(", " }}"),
        ("{{ t", "[t", " }}"),
        ("{{ t", ".t", " }}"),
        ("{{ t", "()", " }}"),
        ("{{ t", "[0]", " }}"),
        ("{{ t", "|e", " }}"),
        ("{{ t", "|d(t", " }}"),
        ("{{ t", " is none", " }}"),
        ("{{ t", " if t", " }}"),
        ("{{ ", "t if t else ", "t }}"),
        ("{{ \"a\"", " \"a\"", " }}"),
        ("{% if t", "-1", " %}{% endif %}"),
        ("{% set t", ".t", " = 1 %}"),
        ("{% set ", "(", "t = 1 %}"),
        ("{% for ", "(", "t in t %}{% endfor %}"),
        ("{% set t = ", "1,", "1 %}"),
        ("{% set t | e", "|e", " %}{% endset %}"),
        ("{% filter e", "|e", " %}{% endfilter %}"),
        ("{% macro m(", "a=", "1) %}{% endmacro %}"),
        ("", "{% if t %}", ""),
        ("", "{% for a in t %}", ""),
        ("", "{% with %}", ""),
        ("", "{% set a %}", ""),
        ("", "{% filter e %}", ""),
        ("", "{% autoescape 1 %}", ""),
        ("", "{% macro m() %}", ""),
        ("", "{% call m() %}", ""),
        ("{% if t %}", "{% elif t %}", "{% endif %}"),
        ("{% if t %}", "{% elif t %}{% if t %}", "{% endif %}"),
        ("{% set x = 1 %}", "{% set x = x, %}", "{{ x }}"),
        ("{% set x = 1 %}", "{% set x = [x] %}", "{{ x }}"),
        ("{% set x = 1 %}", "{% set x = {1: x} %}", "{{ x }}"),
        ("{% set x = 1 %}", "{% set x = (x, 1) %}", "{{ x }}"),
        ("{% set x = t %}", "{% set x = x + x %}", "{{ x }}"),
        ("{% set x = t %}", "{% set x = x[0:] %}", "{{ x }}"),
        ("{% set x = t %}", "{% set x = x|batch(1) %}", "{{ x }}"),
    ] {
        attack(&format!("{open}{}{close}", times(link, SIZE)), "");
    }
}

/// The deepest templates that the survey allows fit onto the stack of a thread.
#[test]
fn the_deepest_that_is_let_through_fits_onto_the_stack() {
    let blocks = [
        ("{% if t %}", "{% endif %}"),
        ("{% for a in [1] %}", "{% endfor %}"),
        ("{% with %}", "{% endwith %}"),
        ("{% set a %}", "{% endset %}"),
        ("{% filter e %}", "{% endfilter %}"),
        ("{% macro m() %}", "{% endmacro %}{{ m() }}"),
        ("{% call n() %}", "{% endcall %}"),
    ];
    let links = [
        ("-", 100),
        ("not ", 100),
        ("1 if 1 else ", 24),
        ("1 - ", 50),
        ("1 ~ ", 50),
        ("1 and ", 50),
        ("1 == ", 50),
    ];
    let n = "{% macro n() %}{{ caller() }}{% endmacro %}";
    for (open, close) in blocks {
        for (link, times) in links {
            let tag =
                format!("{{{{ {}{}1{} }}}}", "(".repeat(8), link.repeat(times), ")".repeat(8));
            let deep = format!("<p>{n}{}{tag}{}", open.repeat(31), close.repeat(31));
            let (status, text) = check(&deep);
            // Some exceed the limits of work or recursion.
            assert!(matches!(status, Some(0 | 1)), "{deep}: {status:?} {text}");
            assert!(!text.contains("more than"), "{deep}: {text}");
        }
    }
    let elif = format!("<p>{{% if t %}}{}{{{{ t }}}}{{% endif %}}", "{% elif t %}".repeat(31));
    assert_eq!(check(elif).0, Some(0));
    // As deep as macros may recurse.
    let deep = "{% if t %}".repeat(20);
    let ends = "{% endif %}".repeat(20);
    let (status, text) = check(format!(
        "<p>{{% macro m() %}}{deep}{{{{ m() }}}}{ends}{{% endmacro %}}{{{{ m() }}}}"
    ));
    assert!(status == Some(1) && text.contains("recursion limit exceeded"), "{text}");
}

/// Text that grows in a loop, by doubling or from lists of lists is limited.
#[test]
fn what_a_template_makes_is_bounded() {
    let set =
        |step: &str| format!("{{% set s = \"0123456789\" %}}{}{{{{ s|length }}}}", step.repeat(40));
    let mut attacks = vec![
        set("{% set s %}{{ s }}{{ s }}{% endset %}"),
        set("{% set s = s ~ s %}"),
        set("{% set s = s + s %}"),
        set("{% set s = s * 2 %}"),
        set("{% set s = s|replace(\"0\", s) %}"),
        set("{% set s = s|join(s) %}"),
        set("{% set s = s|indent(1000000) %}"),
        set("{% set s = \"%1000000s\"|format(s) %}"),
        set("{% set s = [s, s] %}"),
        set("{% set s = [s]|join(s) %}"),
        set("{% set s = {\"a\": s, \"b\": s} %}"),
        set("{% set s = s|list + s|list %}"),
        set("{% set s = s|string + s|string %}"),
        set("{% set s = \"\"|d(servers, true) + servers %}"),
        set("{% set s = servers + \"\"|d(servers, true) %}"),
        set("{% set s = servers.0 + servers %}"),
        set("{% set s = t.none + servers %}"),
        set("{% set s = servers * 1000000000 %}"),
        set("{% set s = servers|batch(1)|list %}"),
        set("{% filter upper %}{% set s = s ~ s %}{{ s }}{% endfilter %}"),
        set("{% with s = s ~ s %}{{ s }}{% endwith %}{% set s = s ~ s %}"),
        "{% for a in range(1000000000) %}{% endfor %}".into(),
        "{{ \"a\" * 1000000000000 }}".into(),
        "{{ 9 ** 9 ** 9 ** 9 }}".into(),
        "{{ namespace(a=1) }}".into(),
        "{{ dict(a=1) }}".into(),
        "{{ debug() }}".into(),
        "{% macro m(s) %}{{ m(s ~ s) }}{% endmacro %}{{ m(\"a\") }}".into(),
        "{% macro m(s) %}{{ m(s) }}{{ m(s) }}{% endmacro %}{{ m(\"a\") }}".into(),
        "{% macro m() %}{{ caller() }}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{% call m() %}x{% endcall %}".into(),
        "{% for a in t recursive %}{{ loop(t) }}{% endfor %}".into(),
        "{% for a in servers recursive %}{{ loop(servers) }}{{ loop(servers) }}{% endfor %}".into(),
        "{{ t|tojson }}".into(),
        "{% include \"/etc/passwd\" %}".into(),
        "{% import \"/etc/passwd\" as p %}".into(),
        "{% extends \"/etc/passwd\" %}".into(),
        "{% block a %}{% endblock %}".into(),
        "{{".into(),
        "{#".into(),
        "{% raw %}".into(),
        "{{ \"a }}".into(),
        "{% endif %}".into(),
        "{{ t|e.e }}".into(),
    ];
    // Loops in loops.
    let mut loops = String::new();
    for depth in 0..12 {
        write!(loops, "{{% for a{depth} in t %}}").expect("memory");
    }
    attacks.push(format!("{loops}x{}", "{% endfor %}".repeat(12)));
    // Macros of macros.
    let mut macros = "{% macro m0() %}0123456789{% endmacro %}".to_owned();
    for depth in 1..9 {
        let before = depth - 1;
        let call = format!("{{{{ m{before}() }}}}").repeat(20);
        write!(macros, "{{% macro m{depth}() %}}{call}{{% endmacro %}}").expect("memory");
    }
    attacks.push(macros + "{{ m8() }}");
    for attack_ in attacks {
        attack(&attack_, "");
    }
}

/// A template that does all permitted work, of the most expensive kind, ends soon: the service
/// answers other requests, and a signal ends it.
#[test]
fn signals_work_while_a_template_does_its_worst() {
    let sandbox = Sandbox::new();
    let double = "{% set s %}{{ s }}{{ s }}{% endset %}".repeat(12);
    let worst = format!(
        "<p>{{{{ lang }}}}{{% if typed == \"worst@example.org\" %}}{{% set s = \"äääääääääääääää\" %}}{double}\
         {{% for a in t %}}{{% for b in t %}}{{% if s[60000] == \"b\" %}}{{% endif %}}{{% endfor %}}{{% endfor %}}{{% endif %}}"
    );
    sandbox.write("f", worst);
    let config = sandbox.write("c.toml", "page.template = 'f'\n");
    let (address, mut service) = serve(&sandbox, &config);
    let worst = Request::get("/?emailaddress=worst@example.org").host("example.org");
    for _ in 0..3 {
        assert_eq!(http::send(address, &worst).expect("an answer").status, 500);
    }
    // Once for the template, not for each request.
    let told = service.output().matches("page.template: line 1: ").count();
    assert_eq!(told, 1, "{}", service.output());
    let good = Request::get("/").host("example.org");
    assert_eq!(http::send(address, &good).expect("an answer").status, 200);
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(service.id().try_into().expect("a pid")),
        nix::sys::signal::Signal::SIGTERM,
    )
    .expect("kill");
    assert_eq!(service.wait(), Some(0));
}

/// A template that fails for some addresses results in an error response, and one line in the log.
#[test]
fn a_template_that_fails_in_use_is_told_once() {
    let sandbox = Sandbox::new();
    sandbox
        .write("f", "<p>{{ lang }}\n{% if typed == \"bad@example.org\" %}{{ nothing }}{% endif %}");
    let config = sandbox.write("c.toml", "page.template = 'f'\nprovider.name = 'Example'\n");
    let (address, service) = serve(&sandbox, &config);
    let bad = Request::get("/?emailaddress=bad@example.org").host("example.org");
    for _ in 0..5 {
        let answer = http::send(address, &bad).expect("an answer");
        assert_eq!((answer.status, answer.text().as_str()), (500, "cannot write the page\n"));
    }
    let line =
        "error: the page of \"Example\" cannot be written: page.template: line 2: undefined value";
    assert!(wait_until(|| service.output().contains(line)), "{}", service.output());
    assert_eq!(service.output().matches("page.template").count(), 1, "{}", service.output());
}

fn serve(sandbox: &Sandbox, config: &Path) -> (SocketAddr, Process) {
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut serve = command(program());
    serve.arg("serve").arg("--http").arg(address.to_string()).arg("--config").arg(config);
    let ready = Request::get("/").host("example.org");
    let service = Process::start(sandbox, &mut serve);
    (address, service.wait_until(|| http::send(address, &ready).is_ok()))
}
