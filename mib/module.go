package mib

// Module is the objects of one MIB module, over a state of type S.
type Module[S any] struct {
	Name string // such as CISCO-AAA-SESSION-MIB
	Root OID    // the subtree to register with a master agent
	// Pin returns the module's present state, which no longer changes. It does not block and, for
	// a walk without garbage, returns a pointer.
	Pin     func() S
	Objects []Object[S]
	Writer  Writer // nil: every SET is notWritable
}

// Part is a [Module] of any state, as [New] takes it.
type Part interface {
	name() string
	root() OID
	pin() any
	defs() []Def
	writer() Writer
	get(state any, i int, instance OID, v *Value) bool
	next(state any, i int, instance OID, include bool, vb *Varbind) bool
	test(i int, v *Value) ErrorStatus
}

func (m *Module[S]) name() string   { return m.Name }
func (m *Module[S]) root() OID      { return m.Root }
func (m *Module[S]) pin() any       { return m.Pin() }
func (m *Module[S]) writer() Writer { return m.Writer }

func (m *Module[S]) defs() []Def {
	ds := make([]Def, len(m.Objects))
	for i, o := range m.Objects {
		ds[i] = o.def()
	}
	return ds
}

func (m *Module[S]) get(state any, i int, instance OID, v *Value) bool {
	return m.Objects[i].get(state.(S), instance, v)
}

func (m *Module[S]) next(state any, i int, instance OID, include bool, vb *Varbind) bool {
	return m.Objects[i].next(state.(S), instance, include, vb)
}

func (m *Module[S]) test(i int, v *Value) ErrorStatus { return m.Objects[i].test(v) }
