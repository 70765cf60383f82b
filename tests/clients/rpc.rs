//! Delta Chat's core without a window, as `deltachat-rpc-server`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Sandbox, client, command};

/// The longest time of a response.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delta Chat without a window: JSON-RPC, a line for each message.
pub struct Core {
    child: Child,
    lines: Receiver<String>,
    calls: u64,
}

impl Core {
    /// Starts it with its accounts in a directory of the test.
    pub fn start(sandbox: &Sandbox) -> Self {
        let mut server: Command = command(client("deltachat-rpc-server"));
        server.env("DC_ACCOUNTS_PATH", sandbox.path("accounts"));
        let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start");
        let output = BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, calls: 0 }
    }

    /// Calls a method, and returns its result or its error.
    pub fn call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.calls += 1;
        let call = json!({
            "jsonrpc": "2.0", "id": self.calls, "method": method, "params": parameters
        });
        let stdin = self.child.stdin.as_mut().expect("stdin");
        writeln!(stdin, "{call}").expect("write");
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|err| panic!("{method}: {err}"));
            let answer: Value = serde_json::from_str(&line).expect("JSON");
            if answer["id"] == self.calls {
                return match answer.get("error") {
                    Some(error) => Err(error.to_string()),
                    None => Ok(answer["result"].clone()),
                };
            }
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
