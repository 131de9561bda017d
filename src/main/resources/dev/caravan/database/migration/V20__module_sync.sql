-- What the back office of contract 2 reads and writes with SQL. It knows these tables by their plain
-- names, so they stand in public, which is on everybody's search path; Caravan's own are elsewhere.
-- Created only where the back office has not brought its own; a load needs no more than these columns.

CREATE TABLE IF NOT EXISTS public.module_types (
  id   int PRIMARY KEY,
  name text NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS public.factor_types (
  id             int PRIMARY KEY,
  module_type_id int NOT NULL REFERENCES public.module_types,
  name           text NOT NULL,
  UNIQUE (module_type_id, name)
);
CREATE TABLE IF NOT EXISTS public.inventories (
  id   int PRIMARY KEY,
  name text NOT NULL,
  year int NOT NULL
);
CREATE TABLE IF NOT EXISTS public.modules (
  id               int PRIMARY KEY,
  inventory_id     int NOT NULL REFERENCES public.inventories,
  module_type_id   int NOT NULL REFERENCES public.module_types,
  last_sync_status jsonb NOT NULL DEFAULT '{}',
  UNIQUE (inventory_id, module_type_id)
);
COMMENT ON COLUMN public.modules.last_sync_status IS
  'Per provider type: the last job, its status and its time.';

-- The key is what a source calls one entry, within one inventory: a second sync finds it again.
-- replace_range would not do: a sync with filters brings a part of the year, and the rest must stay.
CREATE TABLE IF NOT EXISTS public.carbon_reports (
  inventory_id     int NOT NULL REFERENCES public.inventories,
  source_key       text NOT NULL,
  sciper           text,
  centre_financier text,
  departure_date   date,
  origin           text,
  destination      text,
  origin_code      text,
  destination_code text,
  travel_class     text CHECK (travel_class IN ('economy', 'business', 'first')),
  supplier         text,
  ticket_number    text,
  transport_type   text,
  round_trip       boolean,
  distance_km      numeric,
  co2_kg           numeric,
  created_by       text,
  PRIMARY KEY (inventory_id, source_key)
);
CREATE INDEX IF NOT EXISTS carbon_reports_date ON public.carbon_reports (inventory_id, departure_date);

CREATE TABLE IF NOT EXISTS public.headcount_entries (
  inventory_id     int NOT NULL REFERENCES public.inventories,
  source_key       text NOT NULL,
  sciper           text,
  centre_financier text,
  function         text,
  fte              numeric,
  created_by       text,
  PRIMARY KEY (inventory_id, source_key)
);
CREATE TABLE IF NOT EXISTS public.purchase_entries (
  inventory_id     int NOT NULL REFERENCES public.inventories,
  source_key       text NOT NULL,
  centre_financier text,
  purchase_date    date,
  category         text,
  supplier         text,
  amount           numeric,
  currency         text,
  created_by       text,
  PRIMARY KEY (inventory_id, source_key)
);
CREATE TABLE IF NOT EXISTS public.emission_factors (
  factor_type_id int NOT NULL REFERENCES public.factor_types,
  year           int NOT NULL,
  source_key     text NOT NULL,
  value          numeric NOT NULL,
  unit           text NOT NULL,
  source         text,
  created_by     text,
  PRIMARY KEY (factor_type_id, year, source_key)
);

-- The numbers that contract 2 calls jobs by. The state of the job itself is caravan.job's alone.
CREATE TABLE data_ingestion (
  id             int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id         uuid NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
  inventory_id   int,
  module_id      int,
  module_type_id int,
  factor_type_id int,
  provider_type  text NOT NULL,
  target_type    text NOT NULL CHECK (target_type IN ('data_entries', 'factors')),
  year           int,
  metadata       jsonb NOT NULL DEFAULT '{}',
  created_by     text
);
CREATE INDEX data_ingestion_module ON data_ingestion (module_id, id DESC);

CREATE VIEW public.data_ingestion_jobs AS
SELECT d.id, d.inventory_id, d.module_id, d.module_type_id, d.factor_type_id,
  d.provider_type, d.target_type, d.year,
  CASE j.state WHEN 'queued' THEN 'pending' WHEN 'running' THEN 'processing'
    WHEN 'completed' THEN 'completed' ELSE 'failed' END AS status,
  CASE j.state WHEN 'completed' THEN 200 WHEN 'failed' THEN 500 WHEN 'cancelled' THEN 500
    ELSE CASE p.step WHEN 'fetch' THEN 103 WHEN 'transform' THEN 104 WHEN 'load' THEN 104
      ELSE 102 END END AS status_code,
  j.message, d.metadata, d.created_by, j.started_at, j.completed_at
FROM data_ingestion d
JOIN job j ON j.id = d.job_id
LEFT JOIN job_progress p ON p.job_id = j.id AND p.epoch = j.epoch;
