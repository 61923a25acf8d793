package serverstats

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/atomicfile"
	"aaasess/internal/servers"
)

// Client has the servers of a protocol, and counts for them. Both clients of the daemon are one: package
// internal/radius/client and package internal/tacacs/client.
type Client interface {
	// Statistics returns a copy of what is known of each server.
	Statistics() servers.Statistics
	// Restore continues statistics of an earlier process. It is called before the client has a group.
	Restore(servers.Statistics)
	// SetNames says which servers are configured. Others are forgotten once no group has them.
	SetNames(names []string)
	// End keeps the states of all servers as they are from now on: the daemon ends.
	End()
	// StateChanges returns a number that grows when a server becomes dead, or answers again.
	StateChanges() uint64
}

// Config configures a Keeper.
type Config struct {
	File           string // see [Beside]
	RADIUS, TACACS Client
	// Boot returns the boot id of the host and how long ago it booted. "" means unknown.
	Boot   func() (id string, uptime time.Duration)
	Logger *slog.Logger
}

// Beside returns the names of all files that a Keeper of a file with this name has beside it.
func Beside(name string) []string { return []string{name, name + damaged} }

const damaged = ".damaged"

const (
	// saveEvery is how often the file is saved if something has changed, and saveStates after how long
	// at the latest if the state of a server, or the configuration, has changed: managers were told.
	saveEvery  = 10 * time.Second
	saveStates = time.Second
	// maxAge is how old a View may be.
	maxAge = 100 * time.Millisecond
)

// Keeper keeps the statistics.
type Keeper struct {
	cfg     Config
	clients map[servers.Protocol]Client
	reloads atomic.Uint64
	view    atomic.Pointer[view]

	mu      sync.Mutex // guards the following, and the making of a View
	servers Servers
	numbers numbers

	saved   []byte // the steady part of the file; owned by Run, then by Close
	failing bool   // the last save has failed; likewise
}

// view is a View, and the sum of all changes that it shows.
type view struct {
	servers.View
	changes uint64
}

// Servers are the servers of the configuration.
type Servers struct {
	InUse []servers.Identity // in order of priority
	// Destroyed are in the file, but managers have destroyed them. They are not in a View, but keep
	// their statistics and numbers: the change may be undone.
	Destroyed     []servers.Identity
	NASIdentifier string // ours
}

// Open reads the file, and continues its statistics in the clients, which have no groups yet.
func Open(cfg Config, all Servers) *Keeper {
	k := &Keeper{cfg: cfg, clients: map[servers.Protocol]Client{servers.RADIUS: cfg.RADIUS, servers.TACACS: cfg.TACACS}, numbers: numbers{}}
	old := k.read()
	if old != nil {
		for _, s := range old.Servers {
			k.numbers[servers.Key{Protocol: s.Protocol, Name: s.Name}] = number{s.Index, s.Number}
		}
	}
	k.SetServers(all)
	if old != nil {
		k.restore(old)
		if old.Orderly {
			k.save(false) // from now on, an end without Close is not orderly
		}
	}
	return k
}

// read reads the file. It returns nil if there is none, or sets aside one that cannot be read.
func (k *Keeper) read() *file {
	b, err := atomicfile.Read(k.cfg.File, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var f *file
	if err == nil {
		f, err = decode(b)
	}
	if err != nil {
		aside := k.cfg.File + damaged
		k.cfg.Logger.Error("server statistics cannot be read: they begin anew, and the file is set aside", "file", k.cfg.File, "to", aside, "err", errors.Join(err, os.Rename(k.cfg.File, aside)))
		return nil
	}
	return f
}

// restore continues the statistics of configured servers.
func (k *Keeper) restore(f *file) {
	now := time.Now()
	gap := k.since(f, now)
	for protocol, client := range k.clients {
		var s servers.Statistics
		for i := range f.Servers {
			if old := &f.Servers[i]; old.Protocol == protocol && k.isConfigured(protocol, old.Name) {
				s.Records = append(s.Records, old.record(now, gap, f.Orderly))
			}
		}
		if protocol == servers.RADIUS {
			s.InvalidAuthAddresses, s.InvalidAcctAddresses = f.InvalidAuthAddresses, f.InvalidAcctAddresses
		}
		client.Restore(s)
	}
}

// since returns how much time has passed since a file was saved.
func (k *Keeper) since(f *file, now time.Time) time.Duration {
	gap := now.Sub(f.Saved)
	if id, uptime := k.cfg.Boot(); id != "" && id == f.Boot {
		gap = uptime - f.Uptime
	}
	return min(max(0, gap), longest)
}

func (k *Keeper) isConfigured(p servers.Protocol, name string) bool {
	_, ok := k.numbers[servers.Key{Protocol: p, Name: name}]
	return ok
}

// SetServers says which servers are configured. A server that is not among them is forgotten, once no
// group has it. The slices must not change afterwards.
func (k *Keeper) SetServers(all Servers) {
	configured := slices.Concat(all.InUse, all.Destroyed)
	names := map[servers.Protocol][]string{}
	for i := range configured {
		names[configured[i].Protocol] = append(names[configured[i].Protocol], configured[i].Name)
	}
	k.mu.Lock() // no View has a server whose name is forgotten
	defer k.mu.Unlock()
	for protocol, client := range k.clients {
		client.SetNames(names[protocol])
	}
	k.servers, k.numbers = all, k.numbers.assign(configured)
	k.reloads.Add(1)
}

// changes returns a number that grows with each change that a View must show at once.
func (k *Keeper) changes() uint64 {
	return k.reloads.Load() + k.cfg.RADIUS.StateChanges() + k.cfg.TACACS.StateChanges()
}

// View returns what management sees of the servers: at most 100 ms ago, but with the latest state of
// each, and with the servers of the latest SetServers.
func (k *Keeper) View() *servers.View {
	if v := k.current(); v != nil {
		return v
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if v := k.current(); v != nil { // another goroutine was faster
		return v
	}
	v := &view{changes: k.changes()} // before they are read
	v.View = k.makeView()
	k.view.Store(v)
	return &v.View
}

// current returns the last View if it may still be used.
func (k *Keeper) current() *servers.View {
	v := k.view.Load()
	if v == nil || v.changes != k.changes() || time.Since(v.Now) >= maxAge {
		return nil
	}
	return &v.View
}

// makeView makes a View. The caller holds the mutex.
func (k *Keeper) makeView() servers.View {
	ofRADIUS, ofTACACS := k.cfg.RADIUS.Statistics(), k.cfg.TACACS.Statistics()
	v := servers.View{
		Now: time.Now(), Entries: make([]servers.Entry, len(k.servers.InUse)), NASIdentifier: k.servers.NASIdentifier,
		InvalidAuthAddresses: ofRADIUS.InvalidAuthAddresses, InvalidAcctAddresses: ofRADIUS.InvalidAcctAddresses,
	}
	priorities := map[servers.Protocol]uint32{}
	for i := range k.servers.InUse {
		e := &v.Entries[i]
		e.Identity = k.servers.InUse[i]
		priorities[e.Protocol]++
		n := k.numbers[e.Key()]
		e.Index, e.Number, e.Priority = n.index, n.number, priorities[e.Protocol]
		all := &ofRADIUS
		if e.Protocol == servers.TACACS {
			all = &ofTACACS
		}
		setRecord(e, all.Of(e.Name))
	}
	slices.SortFunc(v.Entries, func(a, b servers.Entry) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Index, b.Index))
	})
	return v
}

// setRecord sets what a record says of a server. nil does not happen: [Client].SetNames makes one.
func setRecord(e *servers.Entry, r *servers.Record) {
	if r == nil {
		return
	}
	e.State = r.State
	e.Addr = cmp.Or(r.Accounting.Addr.Addr(), r.Authentication.Addr.Addr())
	if !e.Addr.IsValid() {
		e.Addr, _ = netip.ParseAddr(e.Host)
	}
	e.Addr = e.Addr.Unmap()
	if e.AcctPort != 0 {
		e.Accounting = r.Accounting
	}
	if e.AuthPort != 0 && e.Protocol == servers.RADIUS {
		e.Authentication = r.Authentication
	}
}

// Run saves the file until ctx is done.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(saveStates)
	defer tick.Stop()
	changes := k.changes()
	for age := saveStates; ; age += saveStates {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if latest := k.changes(); latest != changes || age >= saveEvery {
				age, changes = 0, latest
				k.save(false)
			}
		}
	}
}

// End is called before the groups end because the process does: the file then has the servers that are
// dead.
func (k *Keeper) End() {
	k.cfg.RADIUS.End()
	k.cfg.TACACS.End()
}

// Close saves the file when no group counts any more.
func (k *Keeper) Close() { k.save(true) }

// save saves the file if something has changed. It logs a failure; the next save tries again.
func (k *Keeper) save(orderly bool) {
	f := k.file(orderly)
	steady := f.steady()
	key, err := steady.encode()
	if err == nil && !orderly && bytes.Equal(key, k.saved) {
		return
	}
	var b []byte
	if err == nil {
		b, err = f.encode()
	}
	if err == nil {
		err = atomicfile.Replace(k.cfg.File, b)
	}
	switch {
	case err == nil && k.failing:
		k.cfg.Logger.Info("server statistics are saved again", "file", k.cfg.File)
	case err != nil && !k.failing:
		k.cfg.Logger.Warn("server statistics cannot be saved; will retry", "file", k.cfg.File, "err", err)
	}
	if k.failing = err != nil; !k.failing {
		k.saved = key
	}
}

// file returns the content of the file.
func (k *Keeper) file(orderly bool) file {
	k.mu.Lock()
	all := k.numbers
	k.mu.Unlock()
	now := time.Now()
	f := file{Version: version, Saved: now.UTC(), Orderly: orderly, Servers: []server{}}
	f.Boot, f.Uptime = k.cfg.Boot()
	for _, protocol := range []servers.Protocol{servers.TACACS, servers.RADIUS} {
		s := k.clients[protocol].Statistics()
		for i := range s.Records {
			if n, ok := all[servers.Key{Protocol: protocol, Name: s.Records[i].Name}]; ok {
				f.Servers = append(f.Servers, newServer(protocol, n, &s.Records[i], s.Now))
			}
		}
		if protocol == servers.RADIUS {
			f.InvalidAuthAddresses, f.InvalidAcctAddresses = s.InvalidAuthAddresses, s.InvalidAcctAddresses
		}
	}
	return f
}
