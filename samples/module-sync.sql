-- A back office to try module sync with: one inventory, three modules. After the first start:
--   psql "<URL of the warehouse>" -f samples/module-sync.sql
INSERT INTO public.module_types (id, name)
VALUES (1, 'travel'), (2, 'headcount'), (3, 'purchases') ON CONFLICT DO NOTHING;
INSERT INTO public.factor_types (id, module_type_id, name)
VALUES (1, 1, 'flights'), (2, 2, 'meals'), (3, 3, 'goods') ON CONFLICT DO NOTHING;
INSERT INTO public.inventories (id, name, year) VALUES (1, 'Campus', 2025) ON CONFLICT DO NOTHING;
INSERT INTO public.modules (id, inventory_id, module_type_id)
VALUES (1, 1, 1), (2, 1, 2), (3, 1, 3) ON CONFLICT DO NOTHING;
