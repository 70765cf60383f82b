-- mailcow: the tables that data/web/inc/init_db.inc.php of mailcow/mailcow-dockerized makes
-- (commit 06424670, 2026-08-05).
CREATE TABLE `domain` (
  `domain` VARCHAR(255) NOT NULL,
  `description` VARCHAR(255),
  `aliases` INT(10) NOT NULL DEFAULT '0',
  `mailboxes` INT(10) NOT NULL DEFAULT '0',
  `defquota` BIGINT(20) NOT NULL DEFAULT '3072',
  `maxquota` BIGINT(20) NOT NULL DEFAULT '102400',
  `quota` BIGINT(20) NOT NULL DEFAULT '102400',
  `relayhost` VARCHAR(255) NOT NULL DEFAULT '0',
  `backupmx` TINYINT(1) NOT NULL DEFAULT '0',
  `gal` TINYINT(1) NOT NULL DEFAULT '1',
  `relay_all_recipients` TINYINT(1) NOT NULL DEFAULT '0',
  `relay_unknown_only` TINYINT(1) NOT NULL DEFAULT '0',
  `created` DATETIME(0) NOT NULL DEFAULT NOW(0),
  `modified` DATETIME ON UPDATE CURRENT_TIMESTAMP,
  `active` TINYINT(1) NOT NULL DEFAULT '1',
  PRIMARY KEY (`domain`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE `alias_domain` (
  `alias_domain` VARCHAR(255) NOT NULL,
  `target_domain` VARCHAR(255) NOT NULL,
  `created` DATETIME(0) NOT NULL DEFAULT NOW(0),
  `modified` DATETIME ON UPDATE CURRENT_TIMESTAMP,
  `active` TINYINT(1) NOT NULL DEFAULT '1',
  PRIMARY KEY (`alias_domain`),
  KEY `active` (`active`),
  KEY `target_domain` (`target_domain`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
