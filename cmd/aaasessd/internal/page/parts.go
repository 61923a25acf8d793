package page

// parts are the links between the parts of a list. A link is "" if it leads nowhere.
type parts struct {
	From, To, Total             int // numbers of the first and the last item shown, from 1, and of all items; From 0: none is shown
	First, Previous, Next, Last string
}

// newParts returns the links of a list of so many items, of which at most limit are shown from offset on.
// link returns the address of the part from an offset on.
func newParts(offset, limit, total int, link func(offset int) string) (out parts) {
	out.Total = total
	if offset >= total {
		if total > 0 {
			out.Previous = link(lastPart(total, limit))
		}
		return out
	}
	out.From, out.To = offset+1, min(offset+limit, total)
	if offset > 0 {
		out.First, out.Previous = link(0), link(max(0, offset-limit))
	}
	if out.To < total {
		out.Next, out.Last = link(out.To), link(lastPart(total, limit))
	}
	return out
}

// lastPart returns the offset of the last part of a list that is not empty.
func lastPart(total, limit int) int { return (total - 1) / limit * limit }
