-- The keys of the tables in tables.sql. A deleted order leaves its transaction behind, without its key and without a
-- stamp; whatever else is still referred to cannot be deleted.

ALTER TABLE _prisma_migrations ADD PRIMARY KEY (id);
ALTER TABLE address ADD PRIMARY KEY (address_id);
ALTER TABLE currency ADD PRIMARY KEY (currency_id);
ALTER TABLE department ADD PRIMARY KEY (department_id);
ALTER TABLE design ADD PRIMARY KEY (design_id);
ALTER TABLE payment_type ADD PRIMARY KEY (payment_type_id);

ALTER TABLE counterparty
    ADD PRIMARY KEY (counterparty_id),
    ADD FOREIGN KEY (legal_address_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE staff
    ADD PRIMARY KEY (staff_id),
    ADD FOREIGN KEY (department_id) REFERENCES department ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE sales_order
    ADD PRIMARY KEY (sales_order_id),
    ADD FOREIGN KEY (design_id) REFERENCES design ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (staff_id) REFERENCES staff ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (agreed_delivery_location_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE purchase_order
    ADD PRIMARY KEY (purchase_order_id),
    ADD FOREIGN KEY (staff_id) REFERENCES staff ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (agreed_delivery_location_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE transaction
    ADD PRIMARY KEY (transaction_id),
    ADD UNIQUE (sales_order_id),
    ADD UNIQUE (purchase_order_id),
    ADD FOREIGN KEY (sales_order_id) REFERENCES sales_order ON UPDATE CASCADE ON DELETE SET NULL,
    ADD FOREIGN KEY (purchase_order_id) REFERENCES purchase_order ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE payment
    ADD PRIMARY KEY (payment_id),
    ADD UNIQUE (transaction_id),
    ADD FOREIGN KEY (transaction_id) REFERENCES transaction ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
    ADD FOREIGN KEY (payment_type_id) REFERENCES payment_type ON UPDATE CASCADE ON DELETE RESTRICT;
