package snmpclient

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
	"golang.org/x/sys/unix"
)

// Command is the first argument that makes this program the measuring client. It is a process of
// its own so that it can be pinned like the others.
const Command = "client"

// CasnEntry is the OID of casnActiveEntry (CISCO-AAA-SESSION-MIB).
const CasnEntry = ".1.3.6.1.4.1.9.9.150.1.1.3.1"

// The readable columns of casnActiveTable: casnUserId to casnVaiIfIndex.
const (
	FirstColumn = 2
	ColumnCount = 7
)

// What the client measures. The master answers a GETBULK with at most 100 varbinds, so requests
// have 50 rows of one column, or 14 rows of seven.
const (
	ModeTable       = "table"      // the whole table, seven columns a request
	ModeSampleOne   = "sample-one" // short walks from random rows, one column a request
	ModeSampleAll   = "sample-all" // the same, seven columns a request
	ModeGet         = "get"        // GET of one cell, random rows
	RepetitionsOne  = 50
	repetitionsAll  = 14
	stretchRequests = 5 // of a walk from a random row
	answerLimit     = 20 * time.Second
)

// Measurement is the result that the client prints as JSON.
type Measurement struct {
	Cells int           // cells in the answers
	Wall  time.Duration // from the first request to the last answer
	CPU   time.Duration // of the client, meanwhile
	Begin time.Time     // of the first request
	P50   time.Duration // of one request; only for ModeGet
}

// Run parses args, measures, and prints the measurement on out.
func Run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet(Command, flag.ContinueOnError)
	port := flags.Uint("port", 161, "UDP `port` of the agent on 127.0.0.1")
	mode := flags.String("mode", ModeTable, "what to measure: table, sample-one, sample-all, get")
	rows := flags.Int("rows", 1000, "`rows` of the table, indexes 1 to N")
	count := flags.Int("count", 1000, "`cells` to sample or get, at least")
	secure := flags.Bool("v3", false, "use SNMPv3 with authPriv, as the user of secure.go, instead of SNMPv2c")
	if err := flags.Parse(args); err != nil {
		return err
	}

	snmp := New(uint16(*port))
	if *secure {
		snmp = NewSecure(uint16(*port))
	}
	if err := snmp.Connect(); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer snmp.Close()
	if *secure {
		if err := discover(snmp); err != nil {
			return fmt.Errorf("client: %w", err)
		}
	}

	c := client{snmp: snmp, rows: *rows, rand: rand.New(rand.NewPCG(1, 2))}
	m, err := c.measure(*mode, *count)
	if err != nil {
		return fmt.Errorf("client: %s: %w", *mode, err)
	}
	return json.NewEncoder(out).Encode(m)
}

// New returns a client that never retransmits, because that would hide a lost answer in a rate.
func New(port uint16) *gosnmp.GoSNMP {
	return &gosnmp.GoSNMP{
		Target: "127.0.0.1", Port: port, Transport: "udp",
		Version: gosnmp.Version2c, Community: "public",
		Timeout: answerLimit, Retries: 0, MaxOids: gosnmp.MaxOids,
	}
}

// client measures. Its random rows are the same in every run.
type client struct {
	snmp *gosnmp.GoSNMP
	rows int
	rand *rand.Rand
}

func (c *client) measure(mode string, count int) (m Measurement, err error) {
	begin, cpu := time.Now(), ownCPU()
	m.Begin = begin
	switch mode {
	case ModeTable:
		m.Cells, err = c.walk(allColumns(), 0, repetitionsAll, c.rows*ColumnCount)
	case ModeSampleOne:
		m.Cells, err = c.sample(count, 1, RepetitionsOne)
	case ModeSampleAll:
		m.Cells, err = c.sample(count, ColumnCount, repetitionsAll)
	case ModeGet:
		m.Cells = count
		m.P50, err = c.gets(count)
	default:
		err = fmt.Errorf("unknown mode %q", mode)
	}
	m.Wall, m.CPU = time.Since(begin), ownCPU()-cpu
	return m, err
}

// sample makes short walks from random rows until it has count cells, so that tables of any size
// get the same number of requests.
func (c *client) sample(count, columns, repetitions int) (cells int, err error) {
	last := c.rows - stretchRequests*repetitions
	if last < 0 {
		return 0, fmt.Errorf("%d rows are too few", c.rows)
	}
	stretch := stretchRequests * repetitions * columns
	for cells < count {
		ask := allColumns()
		if columns == 1 {
			ask = []int{FirstColumn + c.rand.IntN(ColumnCount)}
		}
		n, err := c.walk(ask, c.rand.IntN(last+1), uint32(repetitions), stretch)
		if err != nil {
			return cells, err
		}
		if n < stretch {
			return cells, fmt.Errorf("a walk of %d cells ended after %d", stretch, n)
		}
		cells += n
	}
	return cells, nil
}

// walk requests the columns together, from the row after row, until their end or limit cells. It
// returns an error if one column ends before another.
func (c *client) walk(columns []int, row int, repetitions uint32, limit int) (cells int, err error) {
	prefixes := make([]string, len(columns))
	ask := make([]string, len(columns))
	for i, col := range columns {
		prefixes[i] = fmt.Sprintf("%s.%d.", CasnEntry, col)
		ask[i] = fmt.Sprintf("%s%d", prefixes[i], row)
	}
	for cells < limit {
		answer, err := c.snmp.GetBulk(ask, 0, repetitions)
		if err != nil {
			return cells, err
		}
		if answer.Error != gosnmp.NoError {
			return cells, fmt.Errorf("error-status %v", answer.Error)
		}
		whole := 0
		for vars := answer.Variables; len(vars) >= len(columns); vars = vars[len(columns):] {
			n := countCells(vars[:len(columns)], prefixes)
			if n == 0 {
				return cells, nil
			}
			if n < len(columns) {
				return cells, fmt.Errorf("the columns end at different rows after %d cells", cells)
			}
			for i := range columns {
				ask[i] = vars[i].Name
			}
			whole++
			cells += n
		}
		if whole == 0 {
			return cells, fmt.Errorf("an answer of %d varbinds has no complete row", len(answer.Variables))
		}
	}
	return cells, nil
}

// countCells returns how many varbinds are a cell of the requested column.
func countCells(row []gosnmp.SnmpPDU, prefixes []string) (n int) {
	for i, v := range row {
		if v.Type != gosnmp.EndOfMibView && strings.HasPrefix(v.Name, prefixes[i]) {
			n++
		}
	}
	return n
}

// gets requests one cell at a time, the columns in turn.
func (c *client) gets(count int) (p50 time.Duration, err error) {
	took := make([]time.Duration, count)
	for i := range took {
		name := fmt.Sprintf("%s.%d.%d", CasnEntry, FirstColumn+i%ColumnCount, 1+c.rand.IntN(c.rows))
		begin := time.Now()
		answer, err := c.snmp.Get([]string{name})
		took[i] = time.Since(begin)
		if err != nil {
			return 0, err
		}
		if !HasValue(answer) {
			return 0, fmt.Errorf("no value at %s", name)
		}
	}
	slices.Sort(took)
	return took[count/2], nil
}

// HasValue reports whether an answer is one varbind with a value.
func HasValue(p *gosnmp.SnmpPacket) bool {
	if p.Error != gosnmp.NoError || len(p.Variables) != 1 {
		return false
	}
	switch p.Variables[0].Type {
	case gosnmp.NoSuchInstance, gosnmp.NoSuchObject, gosnmp.EndOfMibView, gosnmp.Null:
		return false
	}
	return true
}

func allColumns() []int {
	c := make([]int, ColumnCount)
	for i := range c {
		c[i] = FirstColumn + i
	}
	return c
}

// ownCPU returns the CPU time that this process has used so far.
func ownCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
