-- Modoboa: the same in MySQL and MariaDB.
CREATE TABLE admin_domain (
  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
  creation datetime(6) NOT NULL DEFAULT now(6),
  last_modification datetime(6) NOT NULL DEFAULT now(6),
  name varchar(253) NOT NULL UNIQUE,
  quota integer NOT NULL DEFAULT 0 CHECK (quota >= 0),
  default_mailbox_quota integer NOT NULL DEFAULT 0 CHECK (default_mailbox_quota >= 0),
  message_limit integer NULL,
  enabled bool NOT NULL,
  type varchar(20) NOT NULL,
  enable_dns_checks bool NOT NULL DEFAULT true,
  last_dns_check_execution datetime(6) NULL,
  transport_id integer NULL UNIQUE,
  enable_dkim bool NOT NULL DEFAULT false,
  dkim_key_selector varchar(30) NOT NULL DEFAULT 'modoboa',
  dkim_key_length integer NULL,
  dkim_public_key longtext NOT NULL DEFAULT '',
  dkim_private_key_path varchar(254) NOT NULL DEFAULT ''
);
CREATE TABLE admin_domainalias (
  id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
  creation datetime(6) NOT NULL DEFAULT now(6),
  last_modification datetime(6) NOT NULL DEFAULT now(6),
  name varchar(100) NOT NULL UNIQUE,
  enabled bool NOT NULL,
  target_id integer NOT NULL REFERENCES admin_domain (id)
);
