package agentxtest

import (
	"fmt"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/agent/agentx"
	"aaasess/mib"
)

// Get reads variables by name. There is one result for each name.
func (m *Master) Get(names ...mib.OID) ([]mib.Varbind, error) {
	p := &agentx.Get{}
	for _, name := range names {
		p.Ranges = append(p.Ranges, agentx.SearchRange{Start: value.OID(name)})
	}
	return m.search(p, len(names))
}

// GetNext reads the first variable in each range.
func (m *Master) GetNext(ranges ...agentx.SearchRange) ([]mib.Varbind, error) {
	return m.search(&agentx.GetNext{Ranges: ranges}, len(ranges))
}

func (m *Master) search(p agentx.Payload, want int) ([]mib.Varbind, error) {
	r, err := m.Exchange(m.Header(), p)
	if err != nil {
		return nil, err
	}
	if err := refusal(p, r); err != nil {
		return nil, err
	}
	if len(r.Varbinds) != want {
		return nil, fmt.Errorf("agentxtest: %d variables for %d ranges: snmpd would never send another request", len(r.Varbinds), want)
	}
	return r.Varbinds, nil
}

// refusal returns a *agentx.RefusedError if the Response has an error.
func refusal(p agentx.Payload, r *agentx.Response) error {
	if r.Error == pdu.ErrorNone {
		return nil
	}
	return &agentx.RefusedError{Type: p.Type(), Code: r.Error, Index: int(r.Index)}
}

// Walk reads all variables under root, with one GetNext each as snmpd does. A variable out of order
// is an error.
func (m *Master) Walk(root mib.OID) ([]mib.Varbind, error) {
	end := root.Append()
	end[len(end)-1]++
	var all []mib.Varbind
	at := agentx.SearchRange{Start: value.OID(root), Include: true, End: value.OID(end)}
	for {
		got, err := m.GetNext(at)
		if err != nil {
			return all, err
		}
		vb := got[0]
		if vb.Value.Type == mib.EndOfMibView {
			return all, nil
		}
		if order := vb.Name.Compare(mib.OID(at.Start)); order < 0 || order == 0 && !at.Include || vb.Name.Compare(end) >= 0 {
			return all, fmt.Errorf("agentxtest: walk: %s does not follow %s", vb.Name, mib.OID(at.Start))
		}
		all = append(all, vb)
		at.Start, at.Include = value.OID(vb.Name), false
	}
}

// Set sets variables: it sends TestSet, CommitSet and CleanupSet, or UndoSet if the CommitSet is
// refused. A refusal is a *agentx.RefusedError.
func (m *Master) Set(vbs ...mib.Varbind) error {
	h := m.Header()
	test := &agentx.TestSet{Varbinds: vbs}
	r, err := m.Exchange(h, test)
	if err != nil {
		return err
	}
	if refused := refusal(test, r); refused != nil {
		m.Send(m.next(h), &agentx.CleanupSet{})
		return refused
	}
	r, err = m.Exchange(m.next(h), &agentx.CommitSet{})
	if err != nil {
		return err
	}
	if refused := refusal(&agentx.CommitSet{}, r); refused != nil {
		r, err := m.Exchange(m.next(h), &agentx.UndoSet{})
		if err != nil {
			return err
		}
		if failed := refusal(&agentx.UndoSet{}, r); failed != nil {
			return failed
		}
		return refused
	}
	m.Send(m.next(h), &agentx.CleanupSet{})
	return nil
}

// next returns the header of a further PDU of the same transaction.
func (m *Master) next(h agentx.Header) agentx.Header {
	n := m.Header()
	n.TransactionID = h.TransactionID
	return n
}
