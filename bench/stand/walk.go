package stand

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aaasess/bench/snmpclient"

	"golang.org/x/sync/errgroup"
)

// Together runs several clients at the same time. The measured time is from the first request to
// the last answer of all clients.
func (s *Stand) Together(clients int, mode string, count int) func(context.Context) (snmpclient.Measurement, error) {
	return func(ctx context.Context) (snmpclient.Measurement, error) {
		each := make([]snmpclient.Measurement, clients)
		g, ctx := errgroup.WithContext(ctx)
		for i := range each {
			g.Go(func() (err error) {
				each[i], err = s.ClientMode(mode, count)(ctx)
				return err
			})
		}
		err := g.Wait()
		return sum(each), err
	}
}

// sum returns the measurement of several clients together.
func sum(each []snmpclient.Measurement) snmpclient.Measurement {
	m := each[0]
	end := m.Begin.Add(m.Wall)
	for _, other := range each[1:] {
		m.Cells += other.Cells
		m.CPU += other.CPU
		if other.Begin.Before(m.Begin) {
			m.Begin = other.Begin
		}
		if e := other.Begin.Add(other.Wall); e.After(end) {
			end = e
		}
	}
	m.Wall = end.Sub(m.Begin)
	return m
}

// ClientMode returns a function that runs package snmpclient in another process, with args in
// addition.
func (s *Stand) ClientMode(mode string, count int, args ...string) func(context.Context) (snmpclient.Measurement, error) {
	return func(ctx context.Context) (m snmpclient.Measurement, err error) {
		self, err := os.Executable()
		if err != nil {
			return m, err
		}
		var out strings.Builder
		all := append([]string{
			snmpclient.Command, "-mode", mode,
			"-port", fmt.Sprint(s.Port), "-rows", fmt.Sprint(s.Rows), "-count", fmt.Sprint(count),
		}, args...)
		_, err = s.Run(ctx, &out, self, all...)
		if err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(out.String()), &m)
	}
}

// Bulkwalk runs snmpbulkwalk over the table.
func (s *Stand) Bulkwalk(ctx context.Context) (snmpclient.Measurement, error) {
	return s.BulkwalkAs(ctx, "-v2c", "-c", "public")
}

// BulkwalkAs is Bulkwalk with other arguments for version and user.
func (s *Stand) BulkwalkAs(ctx context.Context, who ...string) (snmpclient.Measurement, error) {
	return s.BulkwalkOf(ctx, strings.TrimSuffix(snmpclient.CasnEntry, ".1"), who...)
}

// BulkwalkOf is BulkwalkAs for any subtree. The output goes to a file, whose last line has the number
// of cells.
func (s *Stand) BulkwalkOf(ctx context.Context, subtree string, who ...string) (m snmpclient.Measurement, err error) {
	f, err := os.Create(s.walkFile())
	if err != nil {
		return m, err
	}
	defer f.Close()
	program, err := exec.LookPath("snmpbulkwalk")
	if err != nil {
		return m, err
	}
	args := append(slices.Clone(who), "-t", "20", "-r", "0", "-On", "-Cp", "-Cr50",
		fmt.Sprintf("127.0.0.1:%d", s.Port), subtree)
	used, err := s.Run(ctx, f, program, args...)
	if err != nil {
		return m, err
	}
	lines := tail(f.Name())
	_, count, _ := strings.Cut(lines, "Variables found: ")
	m.Cells, err = strconv.Atoi(strings.TrimSpace(count))
	m.Wall, m.CPU = used.wall, used.cpu
	return m, err
}

// walkFile returns the file with the output of the last snmpbulkwalk.
func (s *Stand) walkFile() string { return filepath.Join(s.Dir, fmt.Sprintf("walk-%d.txt", s.Port)) }
