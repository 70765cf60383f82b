# mailsetup: run it, test it, build it, install it. `make help` lists the targets.
#
# For POSIX make, including BSD make. Directories can be set on the command line; DESTDIR is put
# before each of them and not stored in any file.

prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
# The program reads /etc/mailsetup, whatever the prefix is.
sysconfdir = /etc
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
man1dir = $(mandir)/man1
man5dir = $(mandir)/man5
docdir = $(datarootdir)/doc/mailsetup
schemadir = $(datadir)/mailsetup
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/site-functions
fishdir = $(datadir)/fish/vendor_completions.d
# The folder of systemd units; empty for none.
unitdir = $(prefix)/lib/systemd/system
# The folder of the web server's CGI programs, for a link mailsetup.cgi; empty for none.
cgibindir =
# The folders of web servers for the files of contrib; empty for none. Packages of Debian set
# /etc/nginx/snippets, /etc/apache2/conf-available and /etc/lighttpd/conf-available.
nginxdir =
apachedir =
lighttpddir =
# The user and group of the web server, to whom the socket belongs.
socketuser = www-data
# What `make install-config` installs.
config = contrib/config.example.toml

INSTALL = install
INSTALL_PROGRAM = $(INSTALL) -m 755
INSTALL_DATA = $(INSTALL) -m 644
CARGO = cargo
CARGOFLAGS =
# The platform of `make static`, as Rust names it; empty for this one.
TARGET =
# For `make dist`. One thread: the bytes do not depend on the number of processors.
XZ = xz -6 -T1
# The built programs; read by the shell, in double quotes. If PROBE is empty, mailsetup-probe is
# neither built nor installed: it always needs OpenSSL.
PROGRAM = $${CARGO_TARGET_DIR:-target}/release/mailsetup
PROBE = $${CARGO_TARGET_DIR:-target}/release/mailsetup-probe

# The amount of work of `make fuzz`; see fuzz/run.sh.
MINUTES ?= 8
RUNS ?=
TARGETS ?=

# The address of `make run`.
HTTP ?= 127.0.0.1:8025

# In a path after this, sed sees no special character.
QUOTED = sed 's/[\\&|]/\\&/g'
# In a path after this, systemd sees no space and no specifier.
IN_UNIT = sed 's/\\/\\\\/g; s/ /\\s/g; s/%/%%/g'
# Writes the path of the schema into the first line of a configuration.
WITH_SCHEMA = schemadir=$$(printf '%s\n' '$(schemadir)' | $(QUOTED)) && \
  sed "1s|/usr/local/share/mailsetup|$$schemadir|"

DOCS = README.md CHANGELOG.md SECURITY.md LICENSE-MIT LICENSE-APACHE
CONTRIB = apache caddy container dovecot h2o haproxy lighttpd many-machines nginx selinux socketmap export panels/hestia panels/ispconfig

all: build

## run: start on loopback without web server and configuration
run:
	@if pkg-config --exists openssl 2>/dev/null; then features=; else \
	  features=--no-default-features; \
	  echo 'No OpenSSL to build with (libssl-dev, pkg-config): profiles cannot be signed in this build.'; \
	fi; \
	$(CARGO) build --locked -p mailsetup $(CARGOFLAGS) $$features && \
	printf '%s\n' '' 'Now try, from another terminal (Ctrl-C ends it here):' '' \
	  "  curl 'http://$(HTTP)/mail/config-v1.1.xml?emailaddress=ann@example.org'" \
	  "  curl 'http://$(HTTP)/mobileconfig?emailaddress=ann@example.org'" \
	  "  curl -H 'Host: autodiscover.example.org' 'http://$(HTTP)/autodiscover/autodiscover.xml'" \
	  '' "or open http://$(HTTP)/ in a browser." '' && \
	exec $(CARGO) run --quiet --locked -p mailsetup $(CARGOFLAGS) $$features -- serve --http $(HTTP)

## test: all tests; installs the web servers and tools they need (Debian: as root or with sudo)
test:
	sh tests/install-tools.sh
	@CARGO='$(CARGO)' sh tests/run.sh
	@# Some tests need a network namespace, which only root may create.
	@if [ "$$(id -u)" -eq 0 ]; then in=; else in='unshare --map-root-user --map-auto'; fi; \
	set -x; $$in $(CARGO) test --locked $(CARGOFLAGS)

## test-debian13: all tests on Debian 13 with its Rust, the oldest supported, below target/ (Debian)
test-debian13:
	sh tests/install-debian13.sh
	sh tests/debian13.sh sh tests/oldest.sh

## test-hosting: the archive of `make hosting` on Debian 11 with its Apache, in a root below target/ (as root)
test-hosting: hosting
	sh tests/install-tools.sh
	sh tests/install-debian11.sh
	@host='$(TARGET)'; : "$${host:=$$(rustc -vV | sed -n 's/^host: //p')}"; set -x; \
	MAILSETUP_TEST_PROGRAM="$${CARGO_TARGET_DIR:-$$PWD/target}/$$host/release/mailsetup" \
	  $(CARGO) test --locked $(CARGOFLAGS) --test main hosting -- --include-ignored

## test-container: the image of `make image` under podman; installs podman (Debian; as root)
test-container: image
	sh tests/install-tools.sh
	sh tests/install-container.sh
	$(CARGO) test --locked $(CARGOFLAGS) --test main container:: -- --ignored

## test-clients: real mail clients configure themselves; installs them and mail servers (Debian)
test-clients:
	sh tests/install-tools.sh
	sh tests/install-clients.sh
	@if [ "$$(id -u)" -eq 0 ]; then in=; else in='unshare --map-root-user --map-auto'; fi; \
	set -x; $$in $(CARGO) test --locked $(CARGOFLAGS) --test clients

## test-logins: logins from Dovecot, SQL, LDAP and socketmap; installs these servers (Debian; as root)
test-logins:
	sh tests/install-tools.sh
	sh tests/install-logins.sh
	$(CARGO) test --locked -p mailsetup $(CARGOFLAGS) --test main -- --ignored servers::logins servers::userdb

## test-tables: domains from MariaDB, PostgreSQL and SQLite; installs these databases (Debian; as root)
test-tables:
	sh tests/install-tools.sh
	sh tests/install-tables.sh
	$(CARGO) test --locked -p mailsetup $(CARGOFLAGS) --test main -- --ignored servers::tables

## test-takeover: old responders run, are taken over, and compared; installs them (Debian; as root)
test-takeover:
	sh tests/install-tools.sh
	sh tests/install-takeover.sh
	$(CARGO) test --locked -p mailsetup $(CARGOFLAGS) --test main -- --include-ignored takeover::

## test-init: init on mail hosts with Debian 12 and 13, where real clients log in; creates them (Debian; as root)
test-init:
	sh tests/install-tools.sh
	sh tests/install-clients.sh
	sh tests/install-init.sh
	$(CARGO) build --locked $(CARGOFLAGS)
	$(CARGO) test --locked -p mailsetup $(CARGOFLAGS) --test clients -- --ignored init::

## test-probe: mailsetup-probe on domains with planted faults; installs the servers (Debian; as root)
test-probe:
	sh tests/install-tools.sh
	sh tests/install-probe.sh
	$(CARGO) build --locked $(CARGOFLAGS)
	$(CARGO) test --locked $(CARGOFLAGS) -p mailsetup-probe --test laboratory

## test-dns: the formats of mailsetup dns in BIND, Knot, PowerDNS and octoDNS; installs them (Debian)
test-dns:
	sh tests/install-tools.sh
	sh tests/install-dns.sh
	$(CARGO) test --locked -p mailsetup $(CARGOFLAGS) --test main -- --include-ignored records::

## test-probe-clients: what mailsetup-probe says of real mail clients is what they do; installs them (Debian; as root)
test-probe-clients:
	sh tests/install-tools.sh
	sh tests/install-probe.sh
	sh tests/install-clients.sh
	sh tests/install-probe-clients.sh
	$(CARGO) build --locked $(CARGOFLAGS)
	$(CARGO) test --locked $(CARGOFLAGS) -p mailsetup-probe --test laboratory agreement -- --ignored --nocapture

## test-clients-debian13: the same on Debian 13, with the Rust of this machine (Debian)
test-clients-debian13:
	sh tests/install-debian13.sh
	RUST=host sh tests/debian13.sh make test-clients

## test-packages: packages are built, installed, upgraded, run and removed in Debian 12 and 13 (as root)
test-packages:
	sh tests/install-roots.sh
	@CARGO='$(CARGO)' sh tests/packages/run.sh

## test-page: the page in Chromium, checked by axe-core; installs both, and node (Debian)
test-page:
	sh tests/install-page.sh
	$(CARGO) build --locked -p mailsetup $(CARGOFLAGS)
	$(CARGO) test --locked $(CARGOFLAGS) -p mailsetup-probe --test main pages_for_the_browser
	cd tests/accessibility && npm ci --ignore-scripts && node run.cjs ../../target/debug/mailsetup

## test-docs: run the commands of the documentation, in machines below target/ (Debian; as root)
test-docs: build
	sh tests/install-machine.sh
	$(CARGO) build --locked -p mailsetup $(CARGOFLAGS)
	$(CARGO) test --locked $(CARGOFLAGS) --test documented

## soak: the full soak test, with load and faults; prints the table of docs/reliability.md (Debian)
soak:
	sh tests/install-tools.sh
	@if [ "$$(id -u)" -eq 0 ]; then in=; else in='unshare --map-root-user --map-auto'; fi; \
	set -x; SOAK=full $$in $(CARGO) test --release --locked -p mailsetup $(CARGOFLAGS) --test soak

## bench: compare with PHP, C and a file, into docs/performance.md; installs them (Debian)
bench:
	sh tests/install-bench.sh
	$(CARGO) bench --locked -p mailsetup $(CARGOFLAGS) --bench compare

## fuzz: fuzz for MINUTES=8 altogether, or RUNS=n of each target (needs Rust nightly, cargo-fuzz)
fuzz:
	@MINUTES='$(MINUTES)' RUNS='$(RUNS)' TARGETS='$(TARGETS)' sh fuzz/run.sh

## fuzz-minimise: reduce the inputs found so far to the fewest with that coverage, in fuzz/corpus
fuzz-minimise:
	@TARGETS='$(TARGETS)' sh fuzz/run.sh minimise

## build: the programs, optimised
build:
	@# One by one: cargo gives the packages of one command the same crates, and mailsetup would
	@# contain what mailsetup-probe needs to connect to servers.
	$(CARGO) build --release --locked -p mailsetup $(CARGOFLAGS)
	@if [ -n "$(PROBE)" ]; then set -x; $(CARGO) build --release --locked -p mailsetup-probe $(CARGOFLAGS); fi

## static: mailsetup without any library, for shared hosting; TARGET= for musl (needs libssl-dev)
static:
	@# At a fixed address: relocating OpenSSL's tables would take a third of the start.
	@# Without OpenSSL's TLS: the crate openssl needs only OPENSSL_init_ssl of it, which would link
	@# all of TLS. OPENSSL_init_crypto takes the same arguments and ignores those for TLS.
	@# Rarely used code has its own section: the kernel maps 64 KB around each page that is used.
	@# For musl, Debian has no OpenSSL: it is compiled, too.
	@target='$(TARGET)'; : "$${target:=$$(rustc -vV | sed -n 's/^host: //p')}"; \
	tls='-C link-arg=-Wl,--defsym=OPENSSL_init_ssl=OPENSSL_init_crypto' openssl=; \
	case " $$target $(CARGOFLAGS) " in \
	  *' --no-default-features '*) tls= ;; \
	  *-musl' '*) openssl='--features vendored' ;; \
	esac; set -x; \
	OPENSSL_STATIC=1 RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static \
	  -C link-arg=-Wl,-z,keep-text-section-prefix $$tls" \
	  $(CARGO) build --release --locked -p mailsetup $(CARGOFLAGS) $$openssl --target "$$target"
	@echo 'Built: release/mailsetup below target/ (or CARGO_TARGET_DIR), in the folder of this platform'

## hosting: an archive to upload to shared hosting, below target/dist, around `make static`
hosting: static
	@mkdir -p target/dist
	@host='$(TARGET)'; : "$${host:=$$(rustc -vV | sed -n 's/^host: //p')}"; version=$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml); \
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git -c log.showSignature=false log -1 --format=%ct 2>/dev/null || echo 315532800)} \
	python3 packaging/hosting.py "$${CARGO_TARGET_DIR:-target}/$$host/release/mailsetup" \
	  "target/dist/mailsetup-$$version-hosting-$${host%%-*}.zip"

## image: the static program as an image for docker and podman (OCI archive), below target/dist
image: static
	@mkdir -p target/dist
	@host='$(TARGET)'; : "$${host:=$$(rustc -vV | sed -n 's/^host: //p')}"; \
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git -c log.showSignature=false log -1 --format=%ct 2>/dev/null || echo 315532800)} \
	python3 packaging/image.py \
	  "$${CARGO_TARGET_DIR:-target}/$$host/release/mailsetup" target/dist

## dist: a release below target/dist: source with all dependencies, SBOM, checksums (from a commit)
dist:
	@CARGO='$(CARGO)' XZ='$(XZ)' sh packaging/dist.sh

## dist-check: build and install the tarball of `make dist`, without network; installs cargo-auditable
dist-check: dist
	$(CARGO) auditable --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-auditable@0.7.7
	@CARGO='$(CARGO)' sh packaging/check.sh

## deb: the Debian package of `make dist`, below target/dist (needs dpkg-dev, debhelper, dh-apache2)
deb: dist
	@sh packaging/deb.sh

## rpm: the RPM packages of `make dist`, below target/dist (needs rpmbuild, checkmodule)
rpm: dist
	@sh packaging/rpm.sh

## release: all files of a release below target/dist, with checksums (needs cargo-auditable)
release:
	$(MAKE) dist deb rpm
	@# The static programs record their crates.
	$(MAKE) hosting image CARGO='$(CARGO) auditable'
	cd target/dist && rm -f SHA256SUMS && sha256sum * >SHA256SUMS && cat SHA256SUMS

## release-check: all that must pass before a release: versions, .ci/run, static programs (as root)
release-check:
	sh packaging/release.sh
	sh .ci/run
	$(MAKE) test-clients-debian13
	CARGO='$(CARGO)' sh tests/static.sh
	sh tests/install-static.sh
	CARGO='$(CARGO)' TARGET="$$(uname -m)-unknown-linux-musl" sh tests/static.sh

## install: install the built programs and their files; builds nothing
install:
	@test -x "$(PROGRAM)" || { echo "$(PROGRAM)"' is not there: run "make build" first, not as root'; exit 1; }
	@$(MAKE) installdirs
	@if [ -n "$(PROBE)" ]; then $(MAKE) install-probe; fi
	$(INSTALL_PROGRAM) "$(PROGRAM)" '$(DESTDIR)$(bindir)/mailsetup'
	$(INSTALL_DATA) man/mailsetup.1 '$(DESTDIR)$(man1dir)/mailsetup.1'
	$(INSTALL_DATA) man/mailsetup.toml.5 '$(DESTDIR)$(man5dir)/mailsetup.toml.5'
	$(INSTALL_DATA) contrib/completions/mailsetup.bash '$(DESTDIR)$(bashdir)/mailsetup'
	$(INSTALL_DATA) contrib/completions/_mailsetup '$(DESTDIR)$(zshdir)/_mailsetup'
	$(INSTALL_DATA) contrib/completions/mailsetup.fish '$(DESTDIR)$(fishdir)/mailsetup.fish'
	$(INSTALL_DATA) contrib/mailsetup.schema.json '$(DESTDIR)$(schemadir)/mailsetup.schema.json'
	$(INSTALL_DATA) contrib/mailsetup-dns.schema.json '$(DESTDIR)$(schemadir)/mailsetup-dns.schema.json'
	for file in $(DOCS); do $(INSTALL_DATA) $$file '$(DESTDIR)$(docdir)' || exit 1; done
	for page in docs/*.md docs/screenshots/*.png; do \
	  $(INSTALL_DATA) $$page '$(DESTDIR)$(docdir)'/$$page || exit 1; \
	done
	$(WITH_SCHEMA) contrib/config.example.toml >'$(DESTDIR)$(docdir)/config.example.toml' && chmod 644 '$(DESTDIR)$(docdir)/config.example.toml'
	for server in $(CONTRIB); do \
	  $(INSTALL_DATA) contrib/$$server/* '$(DESTDIR)$(docdir)'/contrib/$$server || exit 1; \
	done
	$(INSTALL_DATA) contrib/README.md '$(DESTDIR)$(docdir)/contrib/README.md'
	if [ -n '$(unitdir)' ]; then \
	  user=$$(printf '%s\n' '$(socketuser)' | $(QUOTED)) && \
	  sed "s|=www-data\$$|=$$user|" contrib/systemd/mailsetup.socket \
	    >'$(DESTDIR)$(unitdir)/mailsetup.socket' && chmod 644 '$(DESTDIR)$(unitdir)/mailsetup.socket' && \
	  bindir=$$(printf '%s\n' '$(bindir)' | $(IN_UNIT) | $(QUOTED)) && \
	  sed "s|/usr/bin/mailsetup|$$bindir/mailsetup|" contrib/systemd/mailsetup.service \
	    >'$(DESTDIR)$(unitdir)/mailsetup.service' && chmod 644 '$(DESTDIR)$(unitdir)/mailsetup.service'; \
	fi
	if [ -n '$(cgibindir)' ]; then ln -sf '$(bindir)/mailsetup' '$(DESTDIR)$(cgibindir)/mailsetup.cgi'; fi
	if [ -n '$(nginxdir)' ]; then \
	  $(INSTALL_DATA) contrib/nginx/mailsetup.conf '$(DESTDIR)$(nginxdir)/mailsetup.conf'; \
	fi
	if [ -n '$(apachedir)' ]; then \
	  $(INSTALL_DATA) contrib/apache/mailsetup-proxy_fcgi.conf '$(DESTDIR)$(apachedir)/mailsetup.conf'; \
	fi
	if [ -n '$(lighttpddir)' ]; then \
	  $(INSTALL_DATA) contrib/lighttpd/50-mailsetup-fastcgi.conf contrib/lighttpd/51-mailsetup-cgi.conf \
	    '$(DESTDIR)$(lighttpddir)'; \
	fi

## install-probe: install mailsetup-probe and its files alone; `make install` does that, too
install-probe:
	@test -x "$(PROBE)" || { echo "$(PROBE)"' is not there: run "make build" first, not as root'; exit 1; }
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(man1dir)' '$(DESTDIR)$(schemadir)' \
	  '$(DESTDIR)$(bashdir)' '$(DESTDIR)$(zshdir)' '$(DESTDIR)$(fishdir)'
	$(INSTALL_PROGRAM) "$(PROBE)" '$(DESTDIR)$(bindir)/mailsetup-probe'
	$(INSTALL_DATA) man/mailsetup-probe.1 '$(DESTDIR)$(man1dir)/mailsetup-probe.1'
	$(INSTALL_DATA) contrib/completions/mailsetup-probe.bash '$(DESTDIR)$(bashdir)/mailsetup-probe'
	$(INSTALL_DATA) contrib/completions/_mailsetup-probe '$(DESTDIR)$(zshdir)/_mailsetup-probe'
	$(INSTALL_DATA) contrib/completions/mailsetup-probe.fish '$(DESTDIR)$(fishdir)/mailsetup-probe.fish'
	$(INSTALL_DATA) contrib/mailsetup-probe.schema.json '$(DESTDIR)$(schemadir)/mailsetup-probe.schema.json'

## install-strip: the same, without symbols (make build leaves none)
install-strip:
	$(MAKE) INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

## installdirs: create the directories that install uses
installdirs:
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(man1dir)' '$(DESTDIR)$(man5dir)' \
	  '$(DESTDIR)$(schemadir)' '$(DESTDIR)$(bashdir)' '$(DESTDIR)$(zshdir)' '$(DESTDIR)$(fishdir)'
	$(INSTALL) -d '$(DESTDIR)$(docdir)/docs/screenshots'
	for server in $(CONTRIB); do $(INSTALL) -d '$(DESTDIR)$(docdir)'/contrib/$$server || exit 1; done
	if [ -n '$(unitdir)' ]; then $(INSTALL) -d '$(DESTDIR)$(unitdir)'; fi
	if [ -n '$(cgibindir)' ]; then $(INSTALL) -d '$(DESTDIR)$(cgibindir)'; fi
	if [ -n '$(nginxdir)' ]; then $(INSTALL) -d '$(DESTDIR)$(nginxdir)'; fi
	if [ -n '$(apachedir)' ]; then $(INSTALL) -d '$(DESTDIR)$(apachedir)'; fi
	if [ -n '$(lighttpddir)' ]; then $(INSTALL) -d '$(DESTDIR)$(lighttpddir)'; fi

## install-config: install the example as /etc/mailsetup/config.toml, unless it exists
install-config:
	$(INSTALL) -d '$(DESTDIR)$(sysconfdir)/mailsetup'
	test -e '$(DESTDIR)$(sysconfdir)/mailsetup/config.toml' || \
	  { $(WITH_SCHEMA) '$(config)' >'$(DESTDIR)$(sysconfdir)/mailsetup/config.toml' && \
	    chmod 644 '$(DESTDIR)$(sysconfdir)/mailsetup/config.toml'; }

## uninstall: remove the installed files; the configuration and files of others are kept
uninstall:
	rm -f '$(DESTDIR)$(bindir)/mailsetup' '$(DESTDIR)$(man1dir)/mailsetup.1' \
	  '$(DESTDIR)$(man5dir)/mailsetup.toml.5' '$(DESTDIR)$(bashdir)/mailsetup' \
	  '$(DESTDIR)$(zshdir)/_mailsetup' '$(DESTDIR)$(fishdir)/mailsetup.fish' \
	  '$(DESTDIR)$(schemadir)/mailsetup.schema.json' '$(DESTDIR)$(schemadir)/mailsetup-dns.schema.json'
	if [ -n "$(PROBE)" ]; then \
	  rm -f '$(DESTDIR)$(bindir)/mailsetup-probe' '$(DESTDIR)$(man1dir)/mailsetup-probe.1' \
	    '$(DESTDIR)$(bashdir)/mailsetup-probe' '$(DESTDIR)$(zshdir)/_mailsetup-probe' \
	    '$(DESTDIR)$(fishdir)/mailsetup-probe.fish' '$(DESTDIR)$(schemadir)/mailsetup-probe.schema.json'; \
	fi
	for file in $(DOCS) config.example.toml contrib/README.md docs/*.md docs/screenshots/*.png; do rm -f '$(DESTDIR)$(docdir)'/$$file; done
	for server in $(CONTRIB); do \
	  (cd contrib/$$server && ls) | while read -r file; do rm -f '$(DESTDIR)$(docdir)'/contrib/$$server/"$$file"; done; \
	  (cd '$(DESTDIR)$(docdir)' && rmdir -p contrib/$$server) 2>/dev/null; \
	done; :
	cd '$(DESTDIR)$(docdir)' 2>/dev/null && rmdir -p docs/screenshots 2>/dev/null || :
	rmdir '$(DESTDIR)$(docdir)' '$(DESTDIR)$(schemadir)' 2>/dev/null || :
	if [ -n '$(unitdir)' ]; then \
	  rm -f '$(DESTDIR)$(unitdir)/mailsetup.socket' '$(DESTDIR)$(unitdir)/mailsetup.service'; \
	fi
	if [ -n '$(cgibindir)' ]; then rm -f '$(DESTDIR)$(cgibindir)/mailsetup.cgi'; fi
	if [ -n '$(nginxdir)' ]; then rm -f '$(DESTDIR)$(nginxdir)/mailsetup.conf'; fi
	if [ -n '$(apachedir)' ]; then rm -f '$(DESTDIR)$(apachedir)/mailsetup.conf'; fi
	if [ -n '$(lighttpddir)' ]; then \
	  rm -f '$(DESTDIR)$(lighttpddir)/50-mailsetup-fastcgi.conf' '$(DESTDIR)$(lighttpddir)/51-mailsetup-cgi.conf'; \
	fi

## man: generate man/mailsetup.1 from the code and man/mailsetup.1.in
man:
	UPDATE_GOLDEN=1 $(CARGO) test --locked $(CARGOFLAGS) --test main manual::the_manual_page

## keys: generate the example, the schema and mailsetup.toml(5) from src/config/file.rs and frames
keys:
	UPDATE_GOLDEN=1 $(CARGO) test --locked $(CARGOFLAGS) --test main keys::the_

## completions: generate contrib/completions from the code
completions:
	UPDATE_GOLDEN=1 $(CARGO) test --locked $(CARGOFLAGS) --test main manual::completions

## languages: generate the table of the page's languages in docs/translating.md
languages:
	UPDATE_GOLDEN=1 $(CARGO) test --locked $(CARGOFLAGS) --test main languages::the_table

## fmt: format the code
fmt:
	$(CARGO) fmt --all

## lint: check format and lints
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets $(CARGOFLAGS) -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings

## deny: check licences, bans and sources of the dependencies, by deny.toml; installs cargo-deny
deny:
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny@0.20.2
	$(CARGO) deny --locked --workspace check bans licenses sources

## clean: remove all build results
clean:
	$(CARGO) clean

## help: this list
help:
	@sed -n 's/^## /  /p' Makefile

.PHONY: all run test test-debian13 test-container test-hosting test-init test-packages test-clients test-clients-debian13 test-dns test-logins test-takeover test-tables test-probe test-probe-clients test-page test-docs soak bench fuzz fuzz-minimise build static image hosting dist dist-check deb rpm release release-check install install-probe install-strip installdirs install-config uninstall man keys completions languages fmt lint deny clean help
