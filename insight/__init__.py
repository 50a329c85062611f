"""What the incidents say about the work: facts folded from the record, indicators with their uncertainty."""
