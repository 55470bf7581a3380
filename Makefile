# Onsale on one machine. `make` alone lists what there is. Needs: make, Python 3.11 or newer.

.DEFAULT_GOAL := help
.PHONY: help up lag move-bucket link buy trace traces stuck verify-queue restart load test contracts can-i-deploy release contracts-mutation contracts-coverage contracts-graph tunnel \
	contracts-publish bench bench-tracing bench-pretix bench-reads bench-ways bench-regions bench-transport service owners documents manifests images system lint format lock clean

# The first Python that is new enough; PYTHON=... names another. If there is none, local/bootstrap.py says what to do.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
DATA ?= .onsale
RUN = $(PYTHON) local/bootstrap.py run
DEV = $(PYTHON) local/bootstrap.py dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

up: python ## start everything, until Ctrl-C (DATA=folder PORTS=9000 for a second one beside the first; HOSTS=3: the services on hosts of their own; REGIONS=2: in two regions, 100 ms apart; REPLICAS=1: a replica to read from; SHARDS=2: places in two databases; MONOLITH=1: all services in one process, APART=tickets: but for some; TRANSPORT=bus: services ask each other over NATS and have no ports, also beside MONOLITH=1; OTLP= TRACES=: another backend for traces)
	@$(RUN) -m local.up --data "$(DATA)" $(if $(PORTS),--ports "$(PORTS)") \
		$(if $(HOSTS),--hosts "$(HOSTS)") $(if $(REGIONS),--regions "$(REGIONS)") $(if $(REPLICAS),--replicas "$(REPLICAS)") $(if $(SHARDS),--shards "$(SHARDS)") \
		$(if $(filter-out 0,$(MONOLITH)),--monolith) $(if $(APART),--apart "$(APART)") $(if $(TRANSPORT),--transport "$(TRANSPORT)") \
		$(if $(OTLP),--otlp "$(OTLP)") $(if $(TRACES),--traces "$(TRACES)")

move-bucket: python ## move an event and those in its bucket to another shard of make up SHARDS=2, while it is sold (EVENT=its id or address, or BUCKET=7; TO=1)
	@$(RUN) -m local.move_bucket --data "$(DATA)" $(if $(EVENT),--event "$(EVENT)") $(if $(BUCKET),--bucket "$(BUCKET)") $(if $(TO),--to "$(TO)")

lag: python ## how far the replica of make up REPLICAS=1 is behind from now on (SECONDS=5; 0: as near as it can be)
	@$(RUN) -m local.lag --data "$(DATA)" --seconds "$(or $(SECONDS),0)"

link: python ## how two hosts of make up HOSTS=3, or the regions of make up REGIONS=2, are joined (A=edge B=money DELAY=200 JITTER= LOSS=10 PARTITION=1; nothing: well)
	@$(RUN) -m local.link --data "$(DATA)" $(if $(A),--a "$(A)") $(if $(B),--b "$(B)") $(if $(DELAY),--delay "$(DELAY)") \
		$(if $(JITTER),--jitter "$(JITTER)") $(if $(LOSS),--loss "$(LOSS)") $(if $(PARTITION),--partition "$(PARTITION)")

buy: python ## buy like a person with a browser (EVENT= SEATS= CARD= COUNT=50 CONCURRENCY=10)
	@$(RUN) -m local.buy --data "$(DATA)" $(if $(EVENT),--event "$(EVENT)") $(if $(SEATS),--seats "$(SEATS)") \
		$(if $(CARD),--card "$(CARD)") $(if $(COUNT),--count "$(COUNT)") $(if $(CONCURRENCY),--concurrency "$(CONCURRENCY)")

trace: python ## print a trace as a waterfall (ID=trace id, DETAILS=1 with all attributes, EXPORT=bug.jsonl also writes it; FILE=bug.jsonl shows one), or an order's whole life (ORDER=G3D3-BGVZ; of another system: URL= KEY=)
	@$(RUN) -m local.trace --data "$(DATA)" $(ID) $(if $(ORDER),--order "$(ORDER)") $(if $(URL),--url "$(URL)") \
		$(if $(DETAILS),--details) $(if $(KEY),--key "$(KEY)") $(if $(EXPORT),--export "$(EXPORT)") $(if $(FILE),--file "$(FILE)")

stuck: python ## all work that is late, over all services: why it waits, and how to go on (OLDER=60: for so many seconds)
	@$(RUN) -m local.stuck --data "$(DATA)" $(if $(OLDER),--older "$(OLDER)")

restart: python ## stop one program of the running system and start it with the code as it is now (NAME=web)
	@$(RUN) -m local.manage --data "$(DATA)" restart $(if $(NAME),"$(NAME)")

load: python ## bring a file of schema.org events or a seating plan into the running shop (FILE=event.json)
	@$(RUN) -m local.manage --data "$(DATA)" load $(if $(FILE),"$(FILE)")

traces: python ## the latest traces, a line each (SERVICE=orders OPERATION="POST /orders" SLOWER=0.5 seconds, ERRORS=1)
	@$(RUN) -m local.traces --data "$(DATA)" $(if $(SERVICE),--service "$(SERVICE)") \
		$(if $(OPERATION),--operation "$(OPERATION)") $(if $(SLOWER),--slower "$(SLOWER)") $(if $(ERRORS),--errors)

verify-queue: python ## draw the lots of a waiting room again and compare (EVENT=id or address of its page, HASH=fingerprint as noted before the draw)
	@$(RUN) -m local.verify_queue --data "$(DATA)" --event "$(EVENT)" $(if $(HASH),--hash "$(HASH)")

drill: python ## switch a fault on in the running system and see what users complain about (NAME=drill)
	@$(RUN) -m drills.run --data "$(DATA)" start "$(NAME)"

drill-hint: python ## one hint more about the drill that is on
	@$(RUN) -m drills.run --data "$(DATA)" hint

drill-answer: python ## whether you have found it (SERVICE=orders OPERATION="POST /orders")
	@$(RUN) -m drills.run --data "$(DATA)" answer "$(SERVICE)" "$(OPERATION)"

drill-off: python ## switch the fault off again
	@$(RUN) -m drills.run --data "$(DATA)" off

drills: python ## prove all drills on a system of its own: off, on, off again (NAMES="mail-twice ...": some)
	@$(RUN) -m drills.prove $(NAMES)

rehearse: python ## a crowd goes through a waiting room and buys; then the audit and a report with plots (BUYERS=200 PLACES=50 RATE=600 INSIDE=120 QUEUE=0: no waiting room, SEED= SPREAD= HOLD=40 MINUTES=20 OUT=; of another system: URL= EVENT= KEY=)
	@$(RUN) -m rehearsal --data "$(DATA)" $(if $(BUYERS),--buyers "$(BUYERS)") $(if $(PLACES),--places "$(PLACES)") \
		$(if $(QUEUE),--queue "$(QUEUE)") $(if $(RATE),--rate "$(RATE)") $(if $(INSIDE),--inside "$(INSIDE)") \
		$(if $(SEED),--seed "$(SEED)") $(if $(SPREAD),--spread "$(SPREAD)") $(if $(HOLD),--hold "$(HOLD)") \
		$(if $(MINUTES),--minutes "$(MINUTES)") $(if $(OUT),--out "$(OUT)") $(if $(URL),--url "$(URL)") \
		$(if $(EVENT),--event "$(EVENT)") $(if $(KEY),--key "$(KEY)")

rehearse-locust: python ## the rehearsal's buyers on the page of Locust, which is installed apart (USERS=20 PLACES=200 RATE=600 INSIDE=120 QUEUE=0 HOLD=40 PORT=8089; SECONDS=60: without the page)
	@$(RUN) -m rehearsal.with_locust --data "$(DATA)" $(if $(USERS),--users "$(USERS)") $(if $(PLACES),--places "$(PLACES)") \
		$(if $(SECONDS),--seconds "$(SECONDS)") $(if $(QUEUE),--queue "$(QUEUE)") $(if $(RATE),--rate "$(RATE)") \
		$(if $(INSIDE),--inside "$(INSIDE)") $(if $(HOLD),--hold "$(HOLD)") $(if $(PORT),--port "$(PORT)")

audit: python ## whether all promises hold over all databases and the bank, of a system that runs or was stopped (LOG=what buyers were told WAIT=60; of another system: POSTGRES=address of its server BOOKS=copy of its bank's ledger)
	@$(RUN) -m rehearsal.audit --data "$(DATA)" $(if $(LOG),--log "$(LOG)") $(if $(WAIT),--wait "$(WAIT)") \
		$(if $(POSTGRES),--postgres "$(POSTGRES)") $(if $(BOOKS),--books "$(BOOKS)")

audit-bugs: python ## plant bugs that oversell, lose or double, one at a time: the auditor must find each (NAMES="oversold ...": some)
	@$(RUN) -m rehearsal.bugs $(if $(NAMES),--names $(NAMES))

test: python ## everything that CI runs, from a bare checkout
	@$(DEV) tests/run.py

contracts: python ## the contracts between services (SERVICE=inventory: of one; PACTS=write: write the pacts first, and the documents; TRANSPORT=bus: asked over NATS)
	@$(if $(TRANSPORT),TRANSPORT="$(TRANSPORT)") $(DEV) -m contracts.run $(if $(SERVICE),--service "$(SERVICE)")

can-i-deploy: python ## whether this checkout can run beside the last release (SERVICE=orders: only that one changes)
	@$(DEV) -m contracts.deploying.across $(if $(SERVICE),--service "$(SERVICE)")

release: python ## raise the version and tag it, unless what runs now would break (VERSION=1.2.3)
	@$(DEV) -m contracts.deploying.release $(if $(VERSION),--version "$(VERSION)")

contracts-mutation: python ## plant breaks, thousands that are generated and some by hand; the contracts must catch each
	@$(DEV) -m contracts.mutation.generated.run
	@$(DEV) -m contracts.mutation

contracts-coverage: python ## what services offer and nobody uses
	@$(DEV) -m contracts.promises.coverage

contracts-graph: python ## write the picture of who asks, hears and watches whom (README.md, docs/guides/contracts.md)
	@$(DEV) -m contracts.picture

contracts-publish: python ## publish pacts and results to a Pact Broker (PACT_BROKER_BASE_URL=...)
	@$(DEV) -m contracts.deploying.publish

bench: python ## this commit and another one sell in turns: processor time, statements, memory, purchases a second (BASE=commit ROUNDS= RUSH=)
	@$(RUN) -m local.bench.compare --base "$(BASE)" $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(RUSH),--rush "$(RUSH)")

bench-tracing: python ## what tracing costs: throughput with it off, at 10 % and at 100 %, in turns (ROUNDS= SECONDS= BUYERS=)
	@$(RUN) -m local.bench.tracing $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(SECONDS),--seconds "$(SECONDS)") \
		$(if $(BUYERS),--buyers "$(BUYERS)")

bench-pretix: python ## this commit and pretix sell the same in turns: purchases and pages a second, processor time (ROUNDS= PURCHASES= WIDE=)
	@$(RUN) -m local.bench.peers.versus $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(PURCHASES),--purchases "$(PURCHASES)") \
		$(if $(WIDE),--wide "$(WIDE)")

bench-reads: python ## the page of an event without caches, with them, and with a 304; reads with and without a pin, in turns (ROUNDS= SECONDS=)
	@$(RUN) -m local.bench.reads $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(SECONDS),--seconds "$(SECONDS)")

bench-ways: python ## a process for each service, and one for all: start, memory, purchases a second, in turns (ROUNDS= PURCHASES= WIDE=)
	@$(RUN) -m local.bench.ways $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(PURCHASES),--purchases "$(PURCHASES)") \
		$(if $(WIDE),--wide "$(WIDE)")

bench-regions: python ## what physics costs: pages and purchases with two regions 100 ms apart, and writes that wait for the other side (ROUNDS= SECONDS=)
	@$(RUN) -m local.bench.regions $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(SECONDS),--seconds "$(SECONDS)")

bench-transport: python ## calls and purchases over HTTP and over the bus, in turns: latency and CPU of both ends (ROUNDS= CALLS= PURCHASES=)
	@$(RUN) -m local.bench.transport $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(CALLS),--calls "$(CALLS)") \
		$(if $(PURCHASES),--purchases "$(PURCHASES)")

service: python ## a new service, whole and green, with its lines in all places (NAME=insights)
	@$(DEV) -m local.newservice --name "$(NAME)"

owners: python ## who knows which feature, what hangs on one person, and what is owed until when; red past a date (DATE=2027-07-01: as on that day)
	@$(DEV) -m contracts.completeness.owners $(if $(DATE),--date "$(DATE)")

documents: python ## write what services promise (OpenAPI, schemas, AsyncAPI), who may reach whom in a cluster, and the lists of services, from the code
	@$(DEV) -m k8s.documents

manifests: python ## build everything in k8s/ and hold it against schemas, rules and contracts (RELEASE=1: addresses and digests too)
	@$(DEV) -m k8s.run $(if $(RELEASE),--release)

images: python ## build all container images (NAMES="orders web": some; BASE_IMAGE=... another base)
	@$(DEV) -m local.images $(NAMES)

system: python ## only the tests of a whole running system, browser included (WAY=monolith: its services are one process; WAY=services)
	@$(if $(WAY),ONSALE_WAY="$(WAY)") $(DEV) tests/run.py system starting browser

tunnel: python ## a phone in a tunnel buys its ticket: two minutes away, one there, three seconds of latency (make test has a short one)
	@TUNNEL_SCALE=1 $(DEV) -m pytest tests/browser/test_bad_networks.py -m browser -k tunnel --timeout 3000

lint: python ## style, types and the independence of services
	@$(DEV) tests/run.py lint

format: python ## format the code
	@$(DEV) -m ruff check --fix --quiet . || true
	@.venv/bin/python -m ruff format .

lock: python ## renew the locked dependency lists
	@$(DEV) -c ''
	@sh requirements/compile.sh

clean: python ## remove the data of make up (DATA=folder)
	@$(PYTHON) -m local.clean "$(DATA)"

.PHONY: python
python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Onsale needs Python 3.11 or newer, and $(PYTHON) is not here. Install it (Debian: apt-get install python3 python3-venv), or name yours: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
