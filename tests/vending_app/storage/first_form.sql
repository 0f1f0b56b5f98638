INSERT INTO tenants (tenant, name, currency, currency_exponent, time_zone, created_at) VALUES
    ('thabaneng', 'Thabaneng Municipality', 'ZAR', 2, 'Africa/Johannesburg', '2026-01-01 00:00:00'),
    ('mwanga', 'Mwanga Island mini-grid', 'TZS', 2, 'Africa/Dar_es_Salaam', '2026-01-01 00:00:00');
INSERT INTO counters VALUES ('thabaneng', 'sale', 2), ('mwanga', 'sale', 1);
INSERT INTO operators VALUES
    ('thabaneng', 'zanele', 'Zanele Khumalo', 'cashier', '!', true, '2026-01-01 00:00:00'),
    ('mwanga', 'rehema', 'Rehema Mushi', 'cashier', '!', true, '2026-01-01 00:00:00');
INSERT INTO customers (tenant, customer_number, name) VALUES
    ('thabaneng', 'C00102', 'Pieter Mokoena'), ('mwanga', 'C00201', 'Neema Mwakyusa');
INSERT INTO supply_groups (tenant, supply_group_code, utc_offset_minutes, lead_cap_minutes) VALUES
    ('thabaneng', '201457', 0, 60), ('mwanga', '201457', 0, 60);
INSERT INTO tariffs VALUES
    ('thabaneng', 'home', 'Home, one rate', 685, 2, 'VAT', 1500, 500, 500000),
    ('mwanga', 'household', 'Household', 180000, 1, 'VAT', 0, 50000, 50000000);
INSERT INTO meters VALUES
    ('thabaneng', '00100001023', 'C00102', '14 Kerk Street', 1, 'home', '201457', 1, 1, 2, '07', '02'),
    ('mwanga', '0100200002010', 'C00201', 'Pole 12', 1, 'household', '201457', 1, 1, 2, '11', '02');
INSERT INTO sales VALUES
    ('thabaneng', 1, 'r-1', 'a1', '00100001023', 'Pieter Mokoena', 'zanele', 'home',
     'Home, one rate', 685, 2, 'ZAR', 2, 2000, '2026-03-01 08:15:30.250000'),
    ('thabaneng', 2, 'r-2', 'a2', '00100001023', 'Pieter Mokoena', 'zanele', 'home',
     'Home, one rate', 685, 2, 'ZAR', 2, 10000, '2026-03-01 08:16:00'),
    ('mwanga', 1, 'r-1', 'b1', '0100200002010', 'Neema Mwakyusa', 'rehema', 'household',
     'Household', 180000, 1, 'TZS', 2, 250000, '2026-02-28 23:30:00');
INSERT INTO sale_lines VALUES
    ('thabaneng', 1, 1, 'energy', 'Electricity', 1739), ('thabaneng', 1, 2, 'tax', 'VAT 15 %', 261),
    ('thabaneng', 2, 1, 'energy', 'Electricity', 8696), ('thabaneng', 2, 2, 'tax', 'VAT 15 %', 1304),
    ('mwanga', 1, 1, 'energy', 'Electricity', 250000);
INSERT INTO tokens VALUES
    ('thabaneng', 1, 1, '00100001023', '2014', 6396975, '12345678901234567890', 59, '201457', 1, 2, 1,
     '07', 255, true),
    ('thabaneng', 2, 1, '00100001023', '2014', 6396976, '23456789012345678901', 292, '201457', 1, 2, 1,
     '07', 255, true),
    ('mwanga', 1, 1, '0100200002010', '2014', 6396450, '34567890123456789012', 14, '201457', 1, 2, 1,
     '11', 255, false);
INSERT INTO reprints VALUES ('thabaneng', 2, 1, 'zanele', '2026-03-01 09:00:00');
