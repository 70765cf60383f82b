-- Mail-in-a-Box, in SQLite, /home/user-data/mail/users.sqlite. It has no table of domains: those of its
-- mailboxes. Nobody logs in at a domain that has aliases alone.
SELECT DISTINCT substr(email, instr(email, '@') + 1) AS domain FROM users;
