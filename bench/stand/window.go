package stand

// Window is how many commits may wait for the disk at once. It keeps the first error.
type Window struct {
	slots  chan struct{}
	failed chan error
}

// NewWindow is a Window for n commits.
func NewWindow(n int) *Window {
	return &Window{slots: make(chan struct{}, n), failed: make(chan error, 1)}
}

// Begin waits until there is room for one more.
func (w *Window) Begin() { w.slots <- struct{}{} }

// Done ends one that has begun.
func (w *Window) Done(err error) {
	if err != nil {
		select {
		case w.failed <- err:
		default: // it is not the first
		}
	}
	<-w.slots
}

// Wait returns when all are done, with the first error. Nothing can begin any more.
func (w *Window) Wait() error {
	for range cap(w.slots) {
		w.Begin()
	}
	select {
	case err := <-w.failed:
		return err
	default:
		return nil
	}
}
