package mib

// Module has the objects of one MIB module, over a state of type S.
type Module[S any] struct {
	Name string // such as CISCO-AAA-SESSION-MIB
	Root OID    // the subtree to register with a master agent
	// Pin returns the module's current state, which must be immutable. It must not block. If it
	// returns a pointer, walks do not allocate.
	Pin     func() S
	Objects []Object[S]
	Writer  Writer // nil means that every SET is notWritable
}

// Part is a [Module] with any state, as [New] accepts it.
type Part interface {
	name() string
	root() OID
	pin() any
	writer() Writer
	leaves() []leaf
}

func (m *Module[S]) name() string   { return m.Name }
func (m *Module[S]) root() OID      { return m.Root }
func (m *Module[S]) pin() any       { return m.Pin() }
func (m *Module[S]) writer() Writer { return m.Writer }

func (m *Module[S]) leaves() []leaf {
	ls := make([]leaf, len(m.Objects))
	for i, o := range m.Objects {
		ls[i].def, ls[i].test = o.def(), o.test
		ls[i].get, ls[i].next = o.bind()
		ls[i].rows, ls[i].newCursor = o.table(), o.newCursor
	}
	return ls
}
