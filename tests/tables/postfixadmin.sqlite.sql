-- PostfixAdmin: the same in SQLite.
CREATE TABLE IF NOT EXISTS alias_domain (
  `alias_domain` varchar(255) NOT NULL,
  `target_domain` varchar(255) NOT NULL,
  `created` datetime NOT NULL default '2000-01-01',
  `modified` datetime NOT NULL default '2000-01-01',
  `active` tinyint(1) NOT NULL DEFAULT '1',
  PRIMARY KEY (`alias_domain`));
CREATE TABLE IF NOT EXISTS domain (
  `domain` varchar(255) NOT NULL,
  `description` varchar(255) NOT NULL,
  `aliases` int(11) NOT NULL DEFAULT 0,
  `mailboxes` int(11) NOT NULL DEFAULT 0,
  `maxquota` bigint(20) NOT NULL DEFAULT 0,
  `quota` bigint(20) NOT NULL DEFAULT 0,
  `transport` varchar(255) NOT NULL,
  `backupmx` tinyint(1) NOT NULL DEFAULT '0',
  `created` datetime NOT NULL default '2000-01-01',
  `modified` datetime NOT NULL default '2000-01-01',
  `active` tinyint(1) NOT NULL DEFAULT '1',
  PRIMARY KEY (`domain`));
