# For users: make run, make test. For developers also: make lint, make race, make fuzz, make crash,
# make bench.

GO ?= go
# The binaries need no C library; only the race detector and the benchmark's peers need a C compiler.
export CGO_ENABLED ?= 0

PARTNERS = chromium curl snmpd snmp snmptrapd prometheus-snmp-exporter freeradius freeradius-utils libsnmp-session-perl radsecproxy smitools libsnmp-dev gcc libc6-dev iproute2 hostapd wpasupplicant python3-pysnmp4 mandoc bash-completion fish zsh mmdebstrap systemd logrotate sqlite3 openvpn openvpn-auth-radius strongswan-swanctl strongswan-charon libcharon-extra-plugins libstrongswan-standard-plugins eapoltest shellcheck openssh-server openssh-client openssl login sudo keepalived prometheus
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT = mvdan.cc/gofumpt@v0.12.0

.PHONY: all build run test quick partners lint race crash fuzz bench man image deb clean

all: build

# The version is the git tag of the sources, if they have one.
VERSION ?= $(shell git describe --tags --match 'v*' 2>/dev/null)
COMMIT ?= $(shell git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null)
LDFLAGS = -X aaasess/cmd/internal/version.version=$(VERSION) -X aaasess/cmd/internal/version.commit=$(COMMIT)

build: ## bin/aaasessd and bin/aaasess
	$(GO) build -ldflags "$(LDFLAGS)" -o bin/ ./cmd/aaasessd ./cmd/aaasess

# The version of the Debian package rises with each commit.
DEB_VERSION ?= $(shell deploy/debian/version)
DEB_ARCH ?= $(shell $(GO) env GOARCH)

DEB_DIR ?= bin
STAGE = $(DEB_DIR)/deb

# Older packages go, so that bin/aaasess_*.deb is one file.
deb: ## bin/aaasess_*.deb, the Debian package; it needs neither root nor Debian's tools
	rm -rf $(STAGE) $(DEB_DIR)/aaasess_*_$(DEB_ARCH).deb
	mkdir -p $(STAGE)/man $(STAGE)/completion
	$(GO) build -ldflags "-s -w $(LDFLAGS) $(if $(VERSION),,-X aaasess/cmd/internal/version.version=$(DEB_VERSION))" -o $(STAGE)/ ./cmd/aaasessd ./cmd/aaasess
	for shell in bash zsh fish; do \
		env -u GOOS -u GOARCH $(GO) run ./cmd/aaasess completion $$shell >$(STAGE)/completion/$$shell || exit; done
	for page in aaasess.1 aaasessd.8 aaasess.yaml.5; do gzip -9nc docs/man/$$page >$(STAGE)/man/$$page.gz || exit; done
	gzip -9nc CHANGELOG.md >$(STAGE)/changelog.gz
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} \
		STAGE=$(STAGE) DEB_VERSION=$(DEB_VERSION) DEB_ARCH=$(DEB_ARCH) \
		env -u GOOS -u GOARCH $(GO) run $(NFPM) package -f deploy/debian/nfpm.yaml -p deb -t $(DEB_DIR)/

run: build ## runs the daemon with its built-in configuration: only loopback, state under var/
	exec bin/aaasessd

# Pictures of the status page stay in bin/test.
test: partners ## runs all tests, also those against foreign programs
	@rm -rf bin/test && mkdir -p bin/test
	$(GO) test -tags partners -timeout 15m -artifacts -outputdir bin/test ./...

quick: ## runs the tests that need no foreign program
	$(GO) test ./...

# tacquito's server, and the check of dashboards with Grafana's schema, are Go programs, which the Go
# command builds into its cache.
partners: ## installs the foreign programs that the tests need, if any is missing
	@.ci/partners $(PARTNERS)
	@$(GO) -C internal/partner/tacquito tool -n server >/dev/null
	@$(GO) -C internal/partner/grafana build -o /dev/null .

lint:
	$(GO) vet -tags partners ./...
	$(GO) run $(STATICCHECK) -tags partners ./...
	@out=$$($(GO) run $(GOFUMPT) -l .); test -z "$$out" || { echo "not gofumpt-clean:"; echo "$$out"; exit 1; }

race:
	CGO_ENABLED=1 $(GO) test -race -timeout 15m ./...

CRASHTIME ?= 2h

crash: ## kills and pauses the daemon under load again and again, for CRASHTIME
	AAASESS_CRASH_TIME=$(CRASHTIME) $(GO) test -count=1 -timeout 0 -run '^TestCrash$$' -v ./cmd/aaasessd

FUZZTIME ?= 10s

fuzz: ## runs each fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: partners ## measures this project and its peers; writes docs/benchmarks.md
	$(GO) run ./bench -o docs/benchmarks.md

man: ## writes the manual pages in docs/man from the commands and the configuration
	$(GO) test -count=1 -run '^TestManPage$$' ./cmd/aaasess ./cmd/aaasessd ./cmd/aaasessd/internal/config -update

# The same sources give the same image: its time is that of the commit, and its programs do not name
# the folder that they were built in.
CREATED ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

image: export GOFLAGS := $(shell $(GO) env GOFLAGS) -trimpath
image: build ## writes a container image for podman and others to bin/image, an OCI layout
	@env -u GOOS -u GOARCH -u GOARM $(GO) run ./deploy/image -created $(CREATED) \
		$(if $(VERSION),-arg VERSION=$(VERSION)) $(if $(COMMIT),-arg COMMIT=$(COMMIT))

clean:
	rm -rf bin var
