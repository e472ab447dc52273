"""What is deployed: typed configuration, one construct per file in parts/, stacks that only wire them."""
