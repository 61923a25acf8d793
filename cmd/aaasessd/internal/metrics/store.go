package metrics

var (
	storeFree      = gauge("store_free_bytes", "Free space of the disk of the store.")
	storeSize      = gauge("store_size_bytes", "What the store takes of the disk.")
	storeMinFree   = gauge("store_min_free_bytes", "With less free space than this, new events are refused (store.min-free).")
	storeMaxSize   = gauge("store_max_size_bytes", "Above this size, new events are refused (store.max-size); 0: there is no limit.")
	storeAccepting = gauge("store_accepting", "0 while new events are refused: NASes get no answers then.")
	storeWarning   = gauge("store_warning", "1 while the store is running out of space.")
	storeDamage    = gauge("store_damaged_parts", "Parts of the store that could not be read, until aaasess spool forgets them.")
)

func (b *builder) addStore(s *Sources) {
	if s.Store == nil {
		return
	}
	space := s.Store()
	if space.Free >= 0 {
		b.add(storeFree, float64(space.Free), nil)
	}
	b.add(storeSize, float64(space.Size), nil)
	b.add(storeMinFree, float64(max(0, space.MinFree)), nil)
	b.add(storeMaxSize, float64(space.MaxSize), nil)
	b.is(storeAccepting, space.Accepting == nil, nil)
	b.is(storeWarning, space.Warning, nil)
	b.add(storeDamage, float64(s.Damage()), nil)
}
