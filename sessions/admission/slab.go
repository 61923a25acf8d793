package admission

// ref refers to a value in a [slab]. 0 refers to none.
type ref uint32

// slabChunk is how many values of a slab are allocated at once.
const slabChunk = 256

// slab keeps values of one type in large chunks. A reference to a value takes the place of a pointer: if
// T has no pointers, the garbage collector does not look into the chunks. Values do not move. A slab
// uses the places of removed values again, and never gets smaller by itself.
type slab[T any] struct {
	chunks []*[slabChunk]T
	used   int   // places that have had a value, in order
	free   []ref // of these, those that have none now
}

// add keeps a value. The reference stays valid until it is removed.
func (s *slab[T]) add(v T) ref {
	if n := len(s.free); n > 0 {
		r := s.free[n-1]
		s.free = s.free[:n-1]
		*s.at(r) = v
		return r
	}
	if s.used == len(s.chunks)*slabChunk {
		s.chunks = append(s.chunks, new([slabChunk]T))
	}
	s.used++
	r := ref(s.used)
	*s.at(r) = v
	return r
}

// at returns the value that r refers to.
func (s *slab[T]) at(r ref) *T { return &s.chunks[(r-1)/slabChunk][(r-1)%slabChunk] }

// remove forgets a value. Its place has the zero value until it is used again.
func (s *slab[T]) remove(r ref) {
	var none T
	*s.at(r) = none
	s.free = append(s.free, r)
}
