package limit

import "testing"

func BenchmarkAllow(b *testing.B) {
	b.Run("one source", func(b *testing.B) {
		l := New(1000, 1000)
		src := addr("192.0.2.1")
		for i := range b.N {
			l.Allow(src, 1, int64(i)*100)
		}
	})
	b.Run("ever new sources", func(b *testing.B) {
		l := New(1000, 1000)
		for i := range b.N {
			l.Allow(forged(i), 1, int64(i)*100)
		}
	})
	b.Run("no limit", func(b *testing.B) {
		l := New(0, 0)
		src := addr("192.0.2.1")
		for i := range b.N {
			l.Allow(src, 1, int64(i)*100)
		}
	})
	b.Run("goroutines with a source each", func(b *testing.B) {
		l := New(1000, 1000)
		b.RunParallel(func(pb *testing.PB) {
			src := forged(int(l.tag(addr("::1"))))
			for i := int64(0); pb.Next(); i += 100 {
				l.Allow(src, 1, i)
			}
		})
	})
}
