// Runs inside Thunderbird and calls the same functions as its account set-up, in the same order.
//
// Arguments: the address, the password, whether it is entered before the discovery, whether only
// the discovery is done, and Marionette's callback.
// Returns the settings found; after a log-in to each incoming server and a sent message have
// confirmed them, or with what went wrong there. Nothing is kept for the next call.

const [address, password, typed, onlyDiscovered, answer] = arguments;

const modules = "resource:///modules/accountcreation/";
const { FindConfig } = ChromeUtils.importESModule(modules + "FindConfig.sys.mjs");
const { AccountConfig } = ChromeUtils.importESModule(modules + "AccountConfig.sys.mjs");
const { ConfigVerifier } = ChromeUtils.importESModule(modules + "ConfigVerifier.sys.mjs");
const { CreateInBackend } = ChromeUtils.importESModule(modules + "CreateInBackend.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

const SECURITY = new Map([
  [Ci.nsMsgSocketType.SSL, "SSL"],
  [Ci.nsMsgSocketType.alwaysSTARTTLS, "STARTTLS"],
]);
const AUTHENTICATION = new Map([
  [Ci.nsMsgAuthMethod.passwordCleartext, "password-cleartext"],
  [Ci.nsMsgAuthMethod.OAuth2, "OAuth2"],
]);

/**
 * Drops what was kept of another call: answers of DNS and web servers, connections, and servers whose
 * check was broken off.
 */
function forget() {
  for (const server of [...MailServices.accounts.allServers]) {
    if (["imap", "pop3"].includes(server.type)) {
      MailServices.accounts.removeIncomingServer(server, true);
    }
  }
  Services.cache2.clear();
  Cc["@mozilla.org/network/dns-service;1"].getService(Ci.nsIDNSService).clearCache(true);
  Services.obs.notifyObservers(null, "net:cancel-all-connections");
  Services.obs.notifyObservers(null, "net:prune-all-connections");
}

async function discover() {
  const domain = address.split("@")[1];
  const { signal } = new AbortController();
  const known = typed ? password : undefined;
  const stream = FindConfig.parallelAutoDiscovery(domain, address, signal, known, "");
  const { value: config, done } = await stream.next();
  if (!done) {
    throw new Error("the user would be asked whether to trust " + config.host);
  }
  if (!config) {
    throw new Error("nothing found");
  }
  AccountConfig.replaceVariables(config, "Ann", address, password);
  return config;
}

/** Checks the password like the set-up, with one of the incoming servers. */
async function logIn(config, incoming) {
  const window = Cc["@mozilla.org/messenger/msgwindow;1"].createInstance(Ci.nsIMsgWindow);
  const verifier = new ConfigVerifier(window, new AbortController().signal);
  const copy = config.copy();
  copy.incoming = { ...incoming };
  await verifier.verifyConfig(copy, false);
}

/** Creates the account, as the set-up's last step, and sends a message with it to its owner. */
async function send(config) {
  config.incoming.loginAtStartup = false;
  const account = await CreateInBackend.createAccountInBackend(config);
  const identity = account.defaultIdentity;
  const server = MailServices.outgoingServer.getServerByKey(identity.smtpServerKey);
  const file = Services.dirsvc.get("TmpD", Ci.nsIFile);
  file.append("message.eml");
  file.createUnique(Ci.nsIFile.NORMAL_FILE_TYPE, 0o600);
  const message = `From: ${address}\r\nTo: ${address}\r\nSubject: set up\r\n\r\nIt works.\r\n`;
  await IOUtils.writeUTF8(file.path, message);
  const recipients = MailServices.headerParser.parseEncodedHeaderW(address);
  const { promise, resolve, reject } = Promise.withResolvers();
  server.sendMailMessage(file, recipients, [], identity, address, null, null, false, "", {
    QueryInterface: ChromeUtils.generateQI(["nsIMsgOutgoingListener"]),
    onSendStart() {},
    onSendStop(uri, status, security, error) {
      if (Components.isSuccessCode(status)) {
        resolve();
      } else {
        reject(new Error(`0x${status.toString(16)} ${error}`));
      }
    },
  });
  try {
    await promise;
  } finally {
    MailServices.accounts.removeAccount(account, true);
    server.closeCachedConnections();
    MailServices.outgoingServer.deleteServer(server);
  }
}

async function main() {
  forget();
  const config = await discover();
  const found = [config.incoming, ...config.incomingAlternatives, config.outgoing];
  const servers = [...found, ...config.outgoingAlternatives].map(server => ({
    kind: server.type,
    host: server.hostname,
    port: server.port,
    security: SECURITY.get(server.socketType) ?? String(server.socketType),
    authentication: AUTHENTICATION.get(server.auth) ?? String(server.auth),
    username: server.username,
  }));
  const { subSource: source, displayName: name } = config;
  const result = { source, name, servers };
  if (!onlyDiscovered) {
    try {
      for (const incoming of [config.incoming, ...config.incomingAlternatives]) {
        await logIn(config, incoming);
      }
      await send(config);
    } catch (error) {
      result.error = `${error}`;
    }
  }
  return result;
}

main().then(answer, error => answer({ error: `${error}\n${error.stack}` }));
