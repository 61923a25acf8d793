package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// liveOctets returns how many octets of texts are kept.
func liveOctets(x *texts) (octets int) {
	for _, c := range x.chunks {
		octets += c.live
	}
	return octets
}

// heldOctets returns how many octets the chunks have.
func heldOctets(x *texts) (octets int) {
	for _, c := range x.chunks {
		octets += c.size
	}
	return octets
}

// model of texts: a map.
type textModel struct {
	texts
	want map[ref]string
	n    int
}

func (m *textModel) add(text string) {
	r := m.texts.add([]byte(text))
	if old, has := m.want[r]; has {
		panic(fmt.Sprintf("the reference %d of %.20q was given again", r, old))
	}
	m.want[r] = text
}

// check: each text is as it was kept. At most half of the memory is waste, besides the chunk that is
// being filled.
func (m *textModel) check(rt *rapid.T) {
	octets := 0
	for r, want := range m.want {
		octets += len(want)
		if got := m.at(r); got != want {
			rt.Fatalf("text %d of %d octets is %.20q of %d, want %.20q", r, len(want), got, len(got), want)
		}
	}
	for i, c := range m.chunks {
		if len(c.octets) > c.size {
			rt.Fatalf("%d octets are in chunk %d of %d", len(c.octets), i, c.size)
		}
	}
	if live := liveOctets(&m.texts); live != octets {
		rt.Fatalf("%d octets are kept, want %d", live, octets)
	}
	if held := heldOctets(&m.texts); len(m.chunks) > 0 && held > 2*octets+m.chunks[m.filling].size {
		rt.Fatalf("chunks of %d octets for texts of %d", held, octets)
	}
}

// TestTexts: texts of any length are kept and removed in any order.
func TestTexts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &textModel{want: map[ref]string{}}
		known := func(rt *rapid.T) ref {
			if len(m.want) == 0 {
				rt.Skip("no text")
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(m.want))).Draw(rt, "text")
		}
		remove := func(r ref) {
			m.remove(r)
			delete(m.want, r)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				m.n++
				length := rapid.SampledFrom([]int{0, 1, 300, 8000, 30_000, textChunk, textChunk + 1}).Draw(rt, "octets")
				m.add(strings.Repeat(string(rune('a'+m.n%26)), length))
			},
			"remove": func(rt *rapid.T) { remove(known(rt)) },
			"many end in order": func(rt *rapid.T) {
				for range rapid.IntRange(0, 2000).Draw(rt, "texts") {
					m.n++
					m.add(fmt.Sprintf("%0200d", m.n))
				}
				all := slices.Sorted(maps.Keys(m.want))
				for _, r := range all[:rapid.IntRange(0, len(all)).Draw(rt, "end")] {
					remove(r)
				}
			},
			"": m.check,
		})
	})
}

// TestTextInUse: a text that was looked at stays as it was when it is moved and removed.
func TestTextInUse(t *testing.T) {
	var x texts
	first := x.add([]byte("first"))
	seen := x.at(first)
	for range 3 {
		x.remove(x.add(make([]byte, textChunk)))
	}
	if n := x.chunks[x.places.at(first).chunk].live; n != len("first") {
		t.Fatalf("%d octets are kept beside it", n-len("first"))
	}
	if x.at(first) != "first" {
		t.Errorf("it became %q", x.at(first))
	}
	x.remove(first)
	for range 3 {
		x.add(make([]byte, textChunk))
	}
	if seen != "first" {
		t.Errorf("what was seen became %q", seen)
	}
}
