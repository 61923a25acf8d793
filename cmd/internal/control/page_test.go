package control

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"

	"pgregory.net/rapid"
)

func idsOf(list []*sessions.Session) []sessions.ID {
	ids := []sessions.ID{}
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

// TestSortPage: a page has what it would have in the sorted list.
func TestSortPage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 200).Draw(t, "users")
		q := api.Query{
			Sort:   rapid.SampledFrom([]string{"", "-id", "user", "-user", "started"}).Draw(t, "sort"),
			Offset: rapid.IntRange(0, 220).Draw(t, "offset"), Limit: rapid.IntRange(0, 220).Draw(t, "limit"),
		}
		var list []*sessions.Session
		for i, user := range users {
			list = append(list, &sessions.Session{ID: sessions.ID(i + 1), User: user, Started: sessions.Stamp(len(users) - i)})
		}
		want := slices.Clone(list)
		slices.SortFunc(want, func(a, b *sessions.Session) int {
			byID := cmp.Compare(a.ID, b.ID)
			switch q.Sort {
			case "-id", "started":
				return -byID
			case "user":
				return cmp.Or(cmp.Compare(a.User, b.User), byID)
			case "-user":
				return cmp.Or(cmp.Compare(b.User, a.User), byID)
			}
			return byID
		})
		want = want[min(q.Offset, len(want)):]
		if q.Limit > 0 {
			want = want[:min(q.Limit, len(want))]
		}
		if got := (&Server{}).pageOf(q, list); !slices.Equal(idsOf(want), idsOf(got)) {
			t.Errorf("%d, want %d", idsOf(got), idsOf(want))
		}
	})
}

// TestSortPageOfSlowInput: a list on which each pivot is bad is sorted.
func TestSortPageOfSlowInput(t *testing.T) {
	const n = 20_000
	list, compares := make([]*sessions.Session, n), 0
	for i := range list { // the median of first, middle and last is always near the start
		list[i] = &sessions.Session{ID: sessions.ID(i + 1)}
	}
	rank := map[sessions.ID]int{}
	next := 0
	// McIlroy's adversary: a session gets its rank when it has been compared as the pivot.
	compare := func(a, b *sessions.Session) int {
		compares++
		rankA, okA := rank[a.ID]
		rankB, okB := rank[b.ID]
		switch {
		case okA && okB:
			return cmp.Compare(rankA, rankB)
		case okA:
			return -1
		case okB:
			return 1
		}
		rank[b.ID] = next
		next++
		return 1
	}
	got := sortPage(list, n-10, n, compare)
	if !slices.IsSortedFunc(got, compare) || compares > 200*n {
		t.Errorf("%d comparisons of %d sessions", compares, n)
	}
}

// TestSortPageOfChangingOrder: a comparison that contradicts itself costs the order, and nothing else.
func TestSortPageOfChangingOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]*sessions.Session, 1000)
	for i := range list {
		list[i] = &sessions.Session{ID: sessions.ID(i + 1)}
	}
	want := idsOf(list)
	if got := sortPage(list, 400, 450, func(_, _ *sessions.Session) int { return r.IntN(3) - 1 }); len(got) != 50 {
		t.Errorf("%d sessions", len(got))
	}
	got := idsOf(list)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("sessions %d, want %d", got, want)
	}
}
