package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// config is the command line.
type config struct {
	sections   []string // to run
	sizes      []int    // rows of the table, one comparison each
	rateSizes  []int    // rows of the table for our own rate by size
	starts     int      // durable session starts a run
	runs       int      // interleaved runs
	peers      []string // subagents of the section snmp
	responders []string // of the section responder
	accounting accountingSizes
	pauses     pausesSizes
	nases      nasesSizes
	resync     resyncSizes
	relay      relaySizes
	disconnect disconnectSizes
	interfaces interfacesSizes
	cpus       string // for taskset
	out        string // file for the page, "" for none
}

// bench is the input of every section.
type bench struct {
	config   config
	host     stand.Host
	progress io.Writer
}

const header = `# Benchmarks

The contenders of a comparison run in turn, several times, on one machine. Compare the ratios, which
are computed run by run, because the speed of a machine drifts. ` + "`make bench`" + ` writes this page.

`

// section is a part of docs/benchmarks.md with the function that measures it.
type section struct {
	name string
	run  func(context.Context, *bench) (report.Section, error)
}

// sections are run in this order.
var sections = []section{{"snmp", runSNMP}, {"responder", runResponder}, {"durable", runDurable}, {"inprocess", runInProcess}, {"accounting", runAccounting}, {"latency", runPauses}, {"tacacs", runTACACS}, {"relay", runRelay}, {"nases", runNASes}, {"resync", runResync}, {"disconnect", runDisconnect}, {"local", runLocal}, {"interfaces", runInterfaces}, {"servers", runServers}, {"scrape", runScrape}}

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if command := stand.CommandOf(args); command != nil {
		return command(args[1:], os.Stdout)
	}
	c, err := parseFlags(args, os.Stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	text, err := runSections(ctx, c, args)
	if err != nil {
		return err
	}
	fmt.Print(text)
	if c.out != "" {
		return os.WriteFile(c.out, []byte(text), 0o644)
	}
	return nil
}

// runSections runs everything in a temporary folder and renders it.
func runSections(ctx context.Context, c config, args []string) (string, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: dir}, progress: os.Stderr}
	var texts []string
	for _, section := range sections {
		if !slices.Contains(c.sections, section.name) {
			continue
		}
		text, err := section.run(ctx, b)
		if err != nil {
			return "", err
		}
		cpus := c.cpus
		if text.Unpinned {
			cpus = ""
		}
		text.Machine = stand.DescribeMachine(ctx, cpus)
		text.Command = commandLine(args)
		if text.Runs == 0 {
			text.Runs = c.runs
		}
		texts = append(texts, text.Markdown())
	}
	page := header + strings.Join(texts, "\n")
	if len(texts) == len(sections) {
		page = report.WithGoals(page, goals)
	}
	return page, nil
}

// commandLine returns the command that makes the page again, without the output file.
func commandLine(args []string) string {
	words := []string{"go run ./bench"}
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-o" || args[i] == "--o":
			i++
		case !strings.HasPrefix(strings.TrimLeft(args[i], "-"), "o="):
			words = append(words, args[i])
		}
	}
	return strings.Join(words, " ")
}

func parseFlags(args []string, usage io.Writer) (config, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	which := flags.String("sections", "snmp,responder,durable,inprocess,accounting,latency,tacacs,relay,nases,resync,disconnect,local,interfaces,servers,scrape", "sections to run, a `list`")
	sizes := flags.String("sizes", "10000,100000", "rows of the table, a `list`: one comparison each")
	rateSizes := flags.String("rate-sizes", "1000,1000000",
		"rows of the table, a `list`: our own rate is compared between these sizes; empty for none")
	starts := flags.Int("starts", 200_000, "durable session starts in a `run`")
	runs := flags.Int("runs", 5, "interleaved `runs` of each comparison")
	peers := flags.String("peers", strings.Join(stand.DefaultPeers, ","),
		"subagents to compare, a `list` of "+strings.Join(stand.Subagents, ", "))
	responders := flags.String("responders", strings.Join(stand.Responders, ","),
		"responders to compare, a `list` of "+strings.Join(stand.Responders, ", "))
	cpus := flags.String("cpus", "0", "`list` of CPUs, in the format of taskset, to which every process is pinned")
	quick := flags.Bool("quick", false, "1,000 rows, 5,000 starts and requests, one run, no comparison of sizes: a check that everything works")
	accounting, nases, resync, relay := accountingFlags(flags), nasesFlags(flags), resyncFlags(flags), relayFlags(flags)
	disconnect, interfaces, pauses := disconnectFlags(flags), interfacesFlags(flags), pausesFlags(flags)
	out := flags.String("o", "", "also write the page to this `file`")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("bench: unexpected argument %q", flags.Arg(0))
	}
	if *quick {
		*sizes, *rateSizes, *runs, *starts = "1000", "", 1, 5000
	}

	c := config{sections: splitList(*which), starts: *starts, runs: *runs, peers: splitList(*peers), responders: splitList(*responders), cpus: *cpus, out: *out}
	err := c.check()
	if err != nil {
		return config{}, err
	}
	if c.accounting, err = accounting(*quick); err != nil {
		return config{}, err
	}
	if c.pauses, err = pauses(*quick); err != nil {
		return config{}, err
	}
	if c.nases, err = nases(*quick); err != nil {
		return config{}, err
	}
	if c.relay, err = relay(*quick); err != nil {
		return config{}, err
	}
	if c.resync, err = resync(*quick); err != nil {
		return config{}, err
	}
	if c.disconnect, err = disconnect(*quick); err != nil {
		return config{}, err
	}
	if c.interfaces, err = interfaces(*quick); err != nil {
		return config{}, err
	}
	if c.sizes, err = parseSizes("-sizes", *sizes); err != nil {
		return config{}, err
	}
	c.rateSizes, err = parseSizes("-rate-sizes", *rateSizes)
	return c, err
}

// check checks what all sections share.
func (c *config) check() error {
	if c.starts < 1 {
		return fmt.Errorf("bench: -starts %d: must be at least 1", c.starts)
	}
	if c.runs < 1 {
		return fmt.Errorf("bench: -runs %d: must be at least 1", c.runs)
	}
	for _, name := range c.sections {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("bench: -sections: unknown section %q", name)
		}
	}
	return errors.Join(checkNames("-peers", c.peers, stand.Subagents), checkNames("-responders", c.responders, stand.Responders))
}

// checkNames returns an error if a name in list is not in known.
func checkNames(flag string, list, known []string) error {
	for _, name := range list {
		if !slices.Contains(known, name) {
			return fmt.Errorf("bench: %s: unknown name %q; the names are %s", flag, name, strings.Join(known, ", "))
		}
	}
	return nil
}

func parseSizes(name, list string) ([]int, error) {
	var sizes []int
	for _, s := range splitList(list) {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("bench: %s: %q is not a number of rows", name, s)
		}
		sizes = append(sizes, int(n))
	}
	return sizes, nil
}

// splitList splits at commas; an empty list has no elements.
func splitList(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
