//! The report as one page in HTML, for handing on: no script, nothing that is loaded, in the style of the
//! page for mailbox owners.

use super::words::{self, Remedy};
use super::{Outcome, Report};
use crate::finding::Finding;
use crate::net::mail::{Outcome as MailOutcome, Server};
use crate::read::Setting;
use mailsetup::finding::Level;
use mailsetup::page;
use mailsetup::visible::visible;
use mailsetup::xml::Writer;

/// What this page has beside the page for mailbox owners.
const STYLE: &str = include_str!("report.css");

/// The page.
pub fn write(report: &Report) -> Vec<u8> {
    let mut html = Writer::html();
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| head(html, report));
        html.element("body", &[("class", "report settings")], |html| body(html, report));
    });
    html.finish()
}

fn head(html: &mut Writer, report: &Report) {
    html.empty_with("meta", &[("charset", "utf-8")]);
    html.text("title", &format!("Mail clients of {} – mailsetup-probe", subject(report)));
    let viewport = "width=device-width, initial-scale=1";
    html.empty_with("meta", &[("name", "viewport"), ("content", viewport)]);
    html.empty_with("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.empty_with("meta", &[("name", "robots"), ("content", "noindex")]);
    html.empty_with("link", &[("rel", "icon"), ("href", "data:,")]);
    // The built-in style has no mistakes; without it, the page is plain.
    html.style(&(page::style().unwrap_or_default() + STYLE));
}

/// The address, or the domain if the address is made up.
fn subject(report: &Report) -> String {
    visible(if report.is_made_up { &report.domain } else { &report.address })
}

fn body(html: &mut Writer, report: &Report) {
    html.element("header", &[], |html| {
        html.element("div", &[("class", "brand")], |html| {
            html.text("div", "mailsetup-probe");
        });
    });
    html.element("main", &[], |html| {
        html.text("h1", &subject(report));
        html.text_in("p", &[("class", "lead")], &capital(&words::verdict(report)));
        let mut counts = capital(&format!("{}; {}.", words::counts(report), words::effort(report)));
        if report.is_made_up {
            counts += &format!(" Looked at with the address {}.", visible(&report.address));
        }
        html.text_in("p", &[("class", "counts")], &counts);
        html.text_in("p", &[("class", "counts")], &words::seen(report));
        html.element("div", &[("class", "columns")], |html| {
            parts(html, report);
            html.element("div", &[], |html| {
                clients(html, report);
                settings(html, report);
                findings(html, report);
                servers(html, report);
                dns(html, report);
            });
        });
    });
}

/// The sentence with a capital letter.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The links to the sections.
fn parts(html: &mut Writer, report: &Report) {
    let has_settings = report.clients.iter().any(|verdict| !verdict.settings.is_empty());
    let parts = [
        ("#clients", "Clients", true),
        ("#settings", "Settings", has_settings),
        ("#findings", "Findings", true),
        ("#servers", "Mail servers", !report.servers.is_empty()),
        ("#dns", "DNS", !report.dns.is_empty()),
    ];
    html.element("nav", &[("aria-label", "Contents")], |html| {
        html.element("ul", &[], |html| {
            for (link, name, _) in parts.into_iter().filter(|(.., is_there)| *is_there) {
                html.element("li", &[], |html| html.text_in("a", &[("href", link)], name));
            }
        });
    });
}

/// A section with its heading.
fn section(html: &mut Writer, id: &str, heading: &str, content: impl FnOnce(&mut Writer)) {
    html.element("section", &[("id", id)], |html| {
        html.text("h2", heading);
        content(html);
    });
}

/// A table that can be scrolled where it is too wide.
fn table(
    html: &mut Writer,
    caption: &str,
    columns: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) {
    let region =
        [("class", "wide"), ("role", "region"), ("tabindex", "0"), ("aria-label", caption)];
    html.element("div", &region, |html| {
        html.element("table", &[("role", "table")], |html| {
            html.text("caption", caption);
            html.element("thead", &[("role", "rowgroup")], |html| {
                html.element("tr", &[("role", "row")], |html| {
                    for column in columns {
                        html.text_in("th", &[("scope", "col"), ("role", "columnheader")], column);
                    }
                });
            });
            html.element("tbody", &[("role", "rowgroup")], |html| {
                for row in rows {
                    html.element("tr", &[("role", "row")], |html| cells(html, columns, &row));
                }
            });
        });
    });
}

/// The cells of a row; the first one is its heading. Roles are written because the style makes blocks of
/// rows on a phone, where a browser would otherwise no longer treat them as a table.
fn cells(html: &mut Writer, columns: &[&str], row: &[String]) {
    for (at, (column, cell)) in columns.iter().zip(row).enumerate() {
        let cell = visible(cell);
        match at {
            0 => html.text_in("th", &[("scope", "row"), ("role", "rowheader")], &cell),
            _ => html.text_in("td", &[("role", "cell"), ("data-column", column)], &cell),
        }
    }
}

fn clients(html: &mut Writer, report: &Report) {
    section(html, "clients", "Clients", |html| {
        for (outcome, heading, groups) in words::groups(report) {
            let class = match outcome {
                _ if heading == words::BY_CHOICE => "choice",
                Outcome::Works => "works",
                Outcome::Asks => "asks",
                Outcome::Fails => "fails",
            };
            html.text_in("h3", &[("class", class)], heading);
            html.element("ul", &[("class", "notes")], |html| {
                for group in groups {
                    let mut text = group.clients.join(", ");
                    if !group.remark.is_empty() {
                        text += &format!(": {}", group.remark);
                    }
                    html.text("li", &visible(&text));
                }
            });
        }
    });
}

/// What the clients fill in, each set once.
fn settings(html: &mut Writer, report: &Report) {
    let mut sets: Vec<(&[Setting], Vec<&str>)> = Vec::new();
    for verdict in report.clients.iter().filter(|verdict| !verdict.settings.is_empty()) {
        match sets.iter_mut().find(|(settings, _)| *settings == verdict.settings) {
            Some((_, clients)) => clients.push(verdict.client),
            None => sets.push((&verdict.settings, vec![verdict.client])),
        }
    }
    if sets.is_empty() {
        return;
    }
    section(html, "settings", "Settings", |html| {
        for (settings, clients) in sets {
            let rows = settings.iter().map(|setting| {
                vec![
                    words::protocol(setting.protocol).to_owned(),
                    setting.host.clone(),
                    setting.port.to_string(),
                    words::security(setting.security).to_owned(),
                    words::methods(setting),
                    setting.login.clone(),
                ]
            });
            let columns = ["Protocol", "Host", "Port", "Security", "Method", "Login"];
            table(html, &format!("Filled in by {}", clients.join(", ")), &columns, rows);
        }
    });
}

fn findings(html: &mut Writer, report: &Report) {
    section(html, "findings", "Findings", |html| {
        if !report.has_faults() {
            html.text("p", "No errors and no warnings.");
        }
        for level in [Level::Error, Level::Warning] {
            for finding in report.of_level(level) {
                let class = format!("is-{}", words::level(level));
                html.element("article", &[("class", &class)], |html| {
                    one(html, finding);
                });
            }
        }
        if report.of_level(Level::Note).next().is_some() {
            html.text("h3", "Notes");
            html.element("ul", &[("class", "notes")], |html| {
                for note in report.of_level(Level::Note) {
                    html.text("li", &visible(&format!("{}: {}", note.subject, note.message)));
                }
            });
        }
        if !report.left_out.is_empty() {
            html.text("h3", "Not looked at");
            html.element("ul", &[("class", "notes")], |html| {
                report.left_out.iter().for_each(|left_out| html.text("li", &visible(left_out)));
            });
        }
    });
}

fn one(html: &mut Writer, finding: &Finding) {
    html.element("h3", &[], |html| {
        html.text_in("span", &[("class", "level")], words::level(finding.level));
        html.text_in("span", &[("class", "code-name")], finding.code);
        html.text("span", &visible(&finding.subject));
    });
    html.text("p", &visible(&finding.message));
    html.element("dl", &[], |html| {
        if !finding.clients.is_empty() {
            html.text("dt", "Hurts");
            html.text("dd", &finding.clients.join(", "));
        }
        if !finding.evidence.is_empty() {
            html.text("dt", "Seen");
            for line in finding.evidence.lines() {
                html.text("dd", &visible(line));
            }
        }
        if !finding.remedy.is_empty() {
            html.text("dt", "Remedy");
            html.element("dd", &[], |html| {
                for piece in words::remedy(finding) {
                    match piece {
                        Remedy::Sentence(sentence) => html.text("p", &visible(sentence)),
                        Remedy::Lines(lines) => {
                            let lines: Vec<_> = lines.into_iter().map(visible).collect();
                            html.text("pre", &lines.join("\n"));
                        }
                    }
                }
            });
        }
    });
}

fn servers(html: &mut Writer, report: &Report) {
    if report.servers.is_empty() {
        return;
    }
    let rows = report.servers.iter().flat_map(|server| {
        let Server { endpoint, dialogues, .. } = server;
        let name = format!(
            "{} {} {} {}",
            words::protocol(endpoint.protocol),
            endpoint.host,
            endpoint.port,
            words::security(endpoint.security)
        );
        let none = dialogues.is_empty();
        let none = none.then(|| vec![name.clone(), String::new(), "no address".to_owned()]);
        let dialogues = dialogues.iter().map(move |(address, outcome)| {
            vec![name.clone(), address.to_string(), what_came(outcome)]
        });
        none.into_iter().chain(dialogues)
    });
    section(html, "servers", "Mail servers", |html| {
        table(html, "Each server at each of its addresses", &["Server", "Address", "Seen"], rows);
    });
}

/// What came of a connection, in a few words.
fn what_came(outcome: &MailOutcome) -> String {
    match outcome {
        MailOutcome::Spoke(spoken) => {
            let tls = spoken.session.as_ref().map(|session| format!("{}; ", session.protocol));
            let mechanisms = match spoken.mechanisms.is_empty() {
                true => "no login offered".to_owned(),
                false => spoken.mechanisms.join(" "),
            };
            tls.unwrap_or_default() + &mechanisms
        }
        MailOutcome::Unreachable(reason) => reason.clone(),
        MailOutcome::TimedOut => "no response in time".to_owned(),
        MailOutcome::Tls(refused) => refused.reason.to_string(),
        MailOutcome::NoStartTls(said) => format!("no STARTTLS: {said}"),
        MailOutcome::Unfit(said) => said.clone(),
        MailOutcome::NotAsked(reason) => format!("not asked: {reason}"),
    }
}

fn dns(html: &mut Writer, report: &Report) {
    if report.dns.is_empty() {
        return;
    }
    let rows = report.dns.iter().map(|answer| {
        let text = answer.to_string();
        let said = text.split_once(": ").map_or("", |(_, said)| said).to_owned();
        vec![answer.name.clone(), answer.kind.to_string(), said]
    });
    section(html, "dns", "DNS", |html| {
        table(
            html,
            "The answers, in the order of the questions",
            &["Name", "Type", "Answer"],
            rows,
        );
    });
}
