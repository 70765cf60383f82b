//! What all clients do with documents that mean harm.

use super::*;
use crate::facts::{Target, key};
use crate::net::http::{Exchange, Hop, Outcome, Response, Sent};
use crate::plan;
use mailsetup::address::EmailAddress;
use mailsetup::clients::{self, Step};
use std::time::Duration;

fn answered(sent: Sent, body: &str) -> Exchange {
    let hop = Hop {
        method: sent.method,
        url: sent.url.clone(),
        address: None,
        dead: Vec::new(),
        session: None,
        outcome: Outcome::Response(Response {
            status: 200,
            fields: vec![("content-type".into(), "text/xml".into())],
            body: body.into(),
            is_cut: false,
        }),
        took: Duration::ZERO,
    };
    Exchange { sent, hops: vec![hop] }
}

/// Every response of Autodiscover leads to the same URL again, or to the same address.
#[test]
fn circles_of_autodiscover_end() {
    let url = "https://autodiscover.example.org/autodiscover/autodiscover.xml";
    for redirect in [
        format!("<Action>redirectUrl</Action><RedirectUrl>{url}</RedirectUrl>"),
        "<Action>redirectAddr</Action><RedirectAddr>ann@example.org</RedirectAddr>".to_owned(),
    ] {
        let body = format!(
            "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/\
             responseschema/2006\"><Response xmlns=\"http://schemas.microsoft.com/exchange/\
             autodiscover/outlook/responseschema/2006a\"><Account><AccountType>email</AccountType>\
             {redirect}</Account></Response></Autodiscover>"
        );
        let address = EmailAddress::parse(b"ann@example.org").unwrap();
        let mut facts = Facts::new(Target { address, is_made_up: false });
        for client in clients::all() {
            for step in client.steps {
                let Step::Ask(ask) = step else { continue };
                for sent in plan::requests(ask, client, &facts) {
                    let again = Sent { url: url.to_owned(), ..sent.clone() };
                    facts.exchanges.insert(key(&sent), answered(sent, &body));
                    facts.exchanges.insert(key(&again), answered(again, &body));
                }
            }
        }
        let mut ended = 0;
        for client in clients::all() {
            let played = play(client, &facts);
            assert_eq!(played.found, [], "{}", client.name);
            ended += played.hits.iter().filter(|hit| hit.message.contains("do not end")).count();
        }
        assert!(ended > 0, "{redirect}");
    }
}
