package mib

// Access is the MAX-ACCESS of an object (RFC 2578 section 7.3).
type Access uint8

// The values of MAX-ACCESS in our modules.
const (
	NotAccessible Access = iota
	ReadOnly
	ReadWrite
	ReadCreate // a column that a SET can also create
)

// String returns the name as in a module text.
func (a Access) String() string {
	return [...]string{"not-accessible", "read-only", "read-write", "read-create"}[a]
}

// Writable reports whether a SET can change the object, if its [Writer] agrees.
func (a Access) Writable() bool { return a == ReadWrite || a == ReadCreate }

// Def is the definition of an object in a module text.
type Def struct {
	Name   string // descriptor, such as casnUserId
	OID    OID    // a scalar's without .0, a column's without the index
	Type   Type
	Access Access
}

// Object is one scalar or one column of a table, in a module whose pinned state is an S. [Scalar]
// and [Column] implement it.
type Object[S any] interface {
	def() Def
	// bind returns the functions that read the object from a pinned state, which is an S. A walk
	// calls them for each cell, so they call the module's functions directly.
	bind() (getFunc, nextFunc)
	test(v *Value) ErrorStatus
	// table returns a pointer that all objects of one table share, nil for a scalar. newCursor
	// creates the cursor of a reader for the table.
	table() any
	newCursor() cursor
}

// getFunc reads the value of one instance.
type getFunc func(state any, instance OID, v *Value) bool

// nextFunc finds the first instance after the given one (or at it, if include), appends it to
// vb.Name and reads its value into vb.Value. at may be nil.
type nextFunc func(state any, at cursor, instance OID, include bool, vb *Varbind) bool

// cursor caches the last row of a table in the current request: a walk of several columns requests
// each row once for each column.
type cursor interface{ forget() }

// rowCursor is the cursor of a table whose rows are of type R.
type rowCursor[R any] struct {
	known   bool
	from    OID // the requested index
	include bool
	index   OID // of the row
	row     R
}

func (c *rowCursor[R]) forget() {
	if c.known {
		*c = rowCursor[R]{from: c.from[:0], index: c.index[:0]}
	}
}

// isAt reports whether the row answers a request with these arguments.
func (c *rowCursor[R]) isAt(index OID, include bool) bool {
	if !c.known || include != c.include || len(index) != len(c.from) {
		return false
	}
	for i := range index {
		if index[i] != c.from[i] {
			return false
		}
	}
	return true
}

func (c *rowCursor[R]) set(from OID, include bool, index OID, row R) {
	c.known, c.include, c.row = true, include, row
	c.from, c.index = append(c.from[:0], from...), append(c.index[:0], index...)
}

// Scalar is an object with one instance, .0.
type Scalar[S any] struct {
	Def
	Get func(s S, v *Value)
}

func (o Scalar[S]) def() Def { return o.Def }

func (o Scalar[S]) bind() (getFunc, nextFunc) {
	read := o.Get
	get := func(state any, instance OID, v *Value) bool {
		if len(instance) != 1 || instance[0] != 0 {
			return false
		}
		read(state.(S), v)
		return true
	}
	next := func(state any, _ cursor, instance OID, include bool, vb *Varbind) bool {
		atZero := include && len(instance) == 1 && instance[0] == 0
		if len(instance) > 0 && !atZero {
			return false
		}
		vb.Name = append(vb.Name, 0)
		read(state.(S), &vb.Value)
		return true
	}
	return get, next
}

func (o Scalar[S]) test(*Value) ErrorStatus { return NoError }
func (o Scalar[S]) table() any              { return nil }
func (o Scalar[S]) newCursor() cursor       { return nil }

// Rows finds the rows of a table, of type R, in a pinned state S.
type Rows[S, R any] struct {
	// Get returns the row with this index.
	Get func(s S, index OID) (R, bool)
	// Next finds the first row whose index is greater than the given one, or equal to it if
	// include, and appends the row's index to name. The given index may be empty, too short or too
	// long.
	Next func(s S, index OID, include bool, name OID) (OID, R, bool)
}

// Column is a columnar object.
type Column[S, R any] struct {
	Def
	Rows *Rows[S, R]
	Get  func(row R, v *Value)
	// Test reports whether the column could have the value (WrongValue, WrongLength and so on),
	// whatever the row; the type has been checked. Only for a column that is writable.
	Test func(v *Value) ErrorStatus
}

func (o Column[S, R]) def() Def { return o.Def }

func (o Column[S, R]) bind() (getFunc, nextFunc) {
	find, findNext, read := o.Rows.Get, o.Rows.Next, o.Get
	get := func(state any, instance OID, v *Value) bool {
		row, ok := find(state.(S), instance)
		if ok {
			read(row, v)
		}
		return ok
	}
	next := func(state any, at cursor, instance OID, include bool, vb *Varbind) bool {
		c, _ := at.(*rowCursor[R])
		if c != nil && c.isAt(instance, include) {
			vb.Name = append(vb.Name, c.index...)
			read(c.row, &vb.Value)
			return true
		}
		name, row, ok := findNext(state.(S), instance, include, vb.Name)
		if !ok {
			return false
		}
		if c != nil {
			c.set(instance, include, name[len(vb.Name):], row)
		}
		vb.Name = name
		read(row, &vb.Value)
		return true
	}
	return get, next
}

func (o Column[S, R]) test(v *Value) ErrorStatus {
	if o.Test == nil {
		return NoError
	}
	return o.Test(v)
}

func (o Column[S, R]) table() any        { return o.Rows }
func (o Column[S, R]) newCursor() cursor { return &rowCursor[R]{} }
