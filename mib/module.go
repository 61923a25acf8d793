package mib

// Module has the objects of one MIB module, over a state of type S.
type Module[S any] struct {
	Name string // such as CISCO-AAA-SESSION-MIB
	Root OID    // the subtree to register with a master agent
	// Identity is what sysORTable says of the module. Without an ID the module has no row there.
	Identity Identity
	// Pin returns the module's current state, which must be immutable. It may take a lock for a
	// moment, but must not wait for I/O. If it
	// returns a pointer, walks do not allocate.
	Pin     func() S
	Objects []Object[S]
	Writer  Writer // nil means that every SET is notWritable
}

// Identity is a row of sysORTable (RFC 3418): what an agent tells managers about a module that it
// supports.
type Identity struct {
	ID OID // sysORID: the OID of the module itself, that of its MODULE-IDENTITY
	// Descr is sysORDescr, at most [MaxDescr] octets of printable ASCII.
	Descr string
}

// MaxDescr is the SIZE of a DisplayString such as sysORDescr.
const MaxDescr = 255

// Identities returns the identities of parts that have one, in the order of the parts.
func Identities(parts ...Part) []Identity {
	var ids []Identity
	for _, p := range parts {
		if id := p.identity(); len(id.ID) > 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// Part is a [Module] with any state, as [New] accepts it.
type Part interface {
	name() string
	root() OID
	identity() Identity
	pin() any
	writer() Writer
	leaves() []leaf
}

func (m *Module[S]) name() string       { return m.Name }
func (m *Module[S]) root() OID          { return m.Root }
func (m *Module[S]) identity() Identity { return m.Identity }
func (m *Module[S]) pin() any           { return m.Pin() }
func (m *Module[S]) writer() Writer     { return m.Writer }

func (m *Module[S]) leaves() []leaf {
	ls := make([]leaf, len(m.Objects))
	for i, o := range m.Objects {
		ls[i].def, ls[i].test = o.def(), o.test
		ls[i].get, ls[i].next = o.bind()
		ls[i].rows, ls[i].newCursor = o.table(), o.newCursor
	}
	return ls
}
