"""What is deployed: typed configuration, one construct per file in constructs/, stacks that only wire them."""
