-- Modoboa: the same in SQLite.
CREATE TABLE admin_domain (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  creation datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_modification datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  name varchar(253) NOT NULL UNIQUE,
  quota integer NOT NULL DEFAULT 0 CHECK (quota >= 0),
  default_mailbox_quota integer NOT NULL DEFAULT 0 CHECK (default_mailbox_quota >= 0),
  message_limit integer NULL,
  enabled bool NOT NULL,
  type varchar(20) NOT NULL,
  enable_dns_checks bool NOT NULL DEFAULT true,
  last_dns_check_execution datetime NULL,
  transport_id integer NULL UNIQUE,
  enable_dkim bool NOT NULL DEFAULT false,
  dkim_key_selector varchar(30) NOT NULL DEFAULT 'modoboa',
  dkim_key_length integer NULL,
  dkim_public_key text NOT NULL DEFAULT '',
  dkim_private_key_path varchar(254) NOT NULL DEFAULT ''
);
CREATE TABLE admin_domainalias (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  creation datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_modification datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  name varchar(100) NOT NULL UNIQUE,
  enabled bool NOT NULL,
  target_id integer NOT NULL REFERENCES admin_domain (id)
);
