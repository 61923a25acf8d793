package main

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// task is anything that the daemon runs. Run returns when its context is done. An error of Run ends
// the daemon. Ready is closed when the task provides its service. String returns its name for logs
// and errors.
type task interface {
	fmt.Stringer
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// runTasks runs all tasks until ctx is done or one of them fails. The error has the name of that
// task. runTasks calls ready when all tasks of serving are ready; it does not wait for the others.
func runTasks(ctx context.Context, serving, others []task, ready func()) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range slices.Concat(serving, others) {
		g.Go(func() error {
			if err := t.Run(ctx); err != nil {
				return fmt.Errorf("%s: %w", t, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		for _, t := range serving {
			select {
			case <-t.Ready():
			case <-ctx.Done():
				return nil
			}
		}
		ready()
		return nil
	})
	return g.Wait()
}

// loop makes a function a task.
type loop struct {
	name  string
	ready <-chan struct{}
	run   func(ctx context.Context) error
}

func (l loop) Run(ctx context.Context) error { return l.run(ctx) }
func (l loop) Ready() <-chan struct{}        { return l.ready }
func (l loop) String() string                { return l.name }

// closed returns a closed channel: the Ready of a task that is ready from the start.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
