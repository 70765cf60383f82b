//! Runs scripts in Thunderbird, without a window, by its remote control.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Process, Sandbox, command, run};

/// The longest time of a response, and of a start.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = "/usr/lib/thunderbird/thunderbird";

/// Switches off features that use the network by themselves.
const PREFERENCES: &str = r#"
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"#;

/// A running Thunderbird, remote-controlled by Marionette: `length:JSON` over TCP.
pub struct Marionette {
    stream: BufReader<TcpStream>,
    calls: u64,
    _process: Process,
}

impl Marionette {
    /// Starts Thunderbird with a new profile that trusts this authority.
    pub fn start(sandbox: &Sandbox, authority: &str) -> Self {
        sandbox.write("profile/user.js", PREFERENCES);
        let profile = sandbox.path("profile");
        let database = format!("sql:{}", profile.display());
        run(command("certutil").args(["-N", "--empty-password", "-d", &database]));
        run(command("certutil")
            .args(["-A", "-d", &database, "-n", "authority"])
            .args(["-t", "C,,", "-i", authority]));
        let home = sandbox.path("home");
        fs::create_dir(&home).expect("mkdir");
        let mut start = command(PROGRAM);
        start.args(["--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]);
        start.arg("--profile").arg(&profile).env("HOME", &home);
        let process = Process::start(sandbox, &mut start);
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", 2828)) {
                break stream;
            }
            assert!(Instant::now() < deadline, "Thunderbird does not start:\n{}", process.output());
            std::thread::sleep(Duration::from_millis(100));
        };
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut this = Self { stream: BufReader::new(stream), calls: 0, _process: process };
        this.receive();
        let timeouts = json!({ "timeouts": { "script": PATIENCE.as_millis() } });
        this.call("WebDriver:NewSession", &json!({ "capabilities": { "alwaysMatch": timeouts } }));
        this.call("Marionette:SetContext", &json!({ "value": "chrome" }));
        this
    }

    /// Runs a script, and returns what it answers; `error` if it takes too long.
    pub fn run(&mut self, script: &str, arguments: &Value) -> Value {
        let parameters = json!({ "script": script, "args": arguments, "sandbox": "system" });
        let answer = self.ask("WebDriver:ExecuteAsyncScript", &parameters);
        match &answer[2]["message"] {
            Value::Null => answer[3]["value"].clone(),
            message => json!({ "error": message }),
        }
    }

    fn call(&mut self, command: &str, parameters: &Value) {
        let answer = self.ask(command, parameters);
        assert_eq!(answer[2], Value::Null, "{command}: {answer}");
    }

    fn ask(&mut self, command: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let message = json!([0, self.calls, command, parameters]).to_string();
        write!(self.stream.get_mut(), "{}:{message}", message.len()).expect("write");
        let answer = self.receive();
        assert_eq!(answer[1], self.calls, "{command}: {answer}");
        answer
    }

    fn receive(&mut self) -> Value {
        let mut length = Vec::new();
        self.stream.read_until(b':', &mut length).expect("a length");
        length.pop();
        let length = String::from_utf8(length).expect("digits").parse().expect("a length");
        let mut message = vec![0; length];
        self.stream.read_exact(&mut message).expect("a message");
        serde_json::from_slice(&message).expect("JSON")
    }
}
