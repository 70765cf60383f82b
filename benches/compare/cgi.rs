//! One process for one request: from its start to its exit.

use crate::build::Built;
use crate::callgrind::whole;
use crate::common::{Sandbox, cgi, command, program, source};
use crate::report::{Report, Wanted, number};
use crate::{autoconfig, median, twenty_domains};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each is started to measure its time.
const RUNS: usize = 300;

pub fn compare(built: &Built, report: &mut Report) {
    let sandbox = Sandbox::new();
    let config = sandbox.write("config.toml", twenty_domains());
    let ours = |program: &Path| request(program, &[("MAILSETUP_CONFIG", &config)]);
    let script = source("benches/peers/autoconfig.php");
    // With its absolute path: otherwise posix_spawn would not be used as for the others.
    let php = || {
        let mut php = request(Path::new("/usr/bin/php-cgi"), &[("SCRIPT_FILENAME", &script)]);
        php.env("REDIRECT_STATUS", "200");
        php
    };
    let mut php_bare = php();
    php_bare.arg("-n");
    let mut ways = [
        ("an empty program, static", command(&built.empty)),
        ("mailsetup, static", ours(&built.static_program)),
        ("mailsetup, static, without signing", ours(&built.static_unsigned)),
        ("mailsetup, with shared libraries", ours(&program())),
        ("php-cgi, as Debian sets it up", php()),
        ("php-cgi -n: no php.ini, no extensions", php_bare),
    ];
    check(&mut ways);

    eprintln!("CGI: time");
    let mut times = ways.each_ref().map(|_| Vec::new());
    for _ in 0..RUNS {
        for ((_, command), times) in ways.iter_mut().zip(&mut times) {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            let status = command.status().expect("start");
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert!(status.success());
        }
    }
    eprintln!("CGI: instructions");
    let counts = ways.each_ref().map(|(_, command)| whole(&sandbox, command) as f64 / 1e6);
    let times = times.map(median);

    let ([_, count, ..], [empty, ours, _, _, php, _]) = (counts, times);
    report.target("CGI, static: million user instructions", Wanted::AtMost(0.6), count);
    report.target(
        "CGI, static: time, multiple of an empty program's",
        Wanted::AtMost(1.4),
        ours / empty,
    );
    report.target("CGI, static: times faster than php-cgi", Wanted::AtLeast(15.0), php / ours);
    report.part(
        "CGI, start to exit",
        &format!(
            "One GET of autoconfig, 20 domains configured, {RUNS} starts of each, alternating, medians."
        ),
    );
    let rows = ways.iter().zip(counts).zip(times).map(|(((name, _), count), time)| {
        vec![(*name).to_owned(), format!("{count:.3}"), number(time)]
    });
    report.table(&["program", "million user instructions", "time µs"], &rows.collect::<Vec<_>>());
}

/// A program started for the request as by a web server.
fn request(program: &Path, settings: &[(&str, &Path)]) -> Command {
    let mut command = command(program);
    for (name, value) in cgi::variables(&autoconfig()) {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        command.env(text(name), text(value));
    }
    command.envs(settings.iter().copied());
    command
}

/// Checks that all programs except the empty one print the same document.
fn check(ways: &mut [(&str, Command)]) {
    let mut documents = ways[1..].iter_mut().map(|(name, command)| {
        let output = command.output().expect("start");
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        cgi::parse(&output.stdout, false).expect("a CGI answer").text()
    });
    let first = documents.next().expect("mailsetup");
    assert!(first.contains("<clientConfig") && documents.all(|document| document == first));
}
