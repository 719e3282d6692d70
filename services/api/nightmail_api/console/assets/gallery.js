var s=[{name:"data-quality",report:"Data quality: for each column how many values are missing and how many differ",job:{job_name:"quality of the orders",schedule_time:"0 5 * * *",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`return pd.DataFrame(
    {
        "column": data.columns,
        "missing": [int(data[name].isna().sum()) for name in data.columns],
        "different": [int(data[name].nunique()) for name in data.columns],
    }
)
`,consumer_emails:["reports@example.com"]}},{name:"duplicate-orders",report:"Duplicates: orders that came more than once, and how often",job:{job_name:"duplicate orders",schedule_time:"30 6 * * 1-5",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`counts = data.groupby("order_id", as_index=False).agg(times=("order_id", "size"), customer=("customer", "first"))
return counts[counts.times > 1][["order_id", "customer", "times"]]
`,consumer_emails:["reports@example.com"],when_empty:"skip"}},{name:"heartbeat",report:"Heartbeat: one row each morning that says the source can be read, and how much is in it",job:{job_name:"heartbeat of the orders",schedule_time:"0 5 * * *",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`return pd.DataFrame({"rows": [len(data)], "last_order": [data.ordered_on.max()], "checked_at": [scheduled_at.isoformat()]})
`,consumer_emails:["reports@example.com"]}},{name:"large-invoices-alarm",report:"Threshold alarm: a mail only if an unpaid invoice is larger than 3,000",job:{job_name:"large unpaid invoices",schedule_time:"0 9 * * 1-5",timezone:"Europe/Paris",data_source:{source_type:"file",location:"invoices.csv",file_type:"csv"},processing_script:`return data[data.paid_on.isna() & (data.amount > 3000)][["invoice", "customer", "amount", "due_on"]]
`,consumer_emails:["reports@example.com"],when_empty:"skip"}},{name:"missing-days",report:"Missing days: dates between the first and the last order without any order",job:{job_name:"days without orders",schedule_time:"0 7 * * 1",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`days = pd.to_datetime(data.ordered_on)
missing = pd.date_range(days.min(), days.max()).difference(days)
return pd.DataFrame({"day": missing, "weekday": missing.day_name()})
`,consumer_emails:["reports@example.com"]}},{name:"new-orders",report:"New since yesterday: the orders of the day before the due time",job:{job_name:"new orders",schedule_time:"0 6 * * *",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`yesterday = (pd.Timestamp(scheduled_at.date()) - pd.Timedelta(days=1)).strftime("%Y-%m-%d")
return data[data.ordered_on == yesterday]
`,consumer_emails:["reports@example.com"]}},{name:"orders-and-unpaid",report:"Join of two sources: what each customer ordered, and what it owes",job:{job_name:"orders and unpaid invoices",schedule_time:"0 8 * * 1",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},more_sources:{invoices:{source_type:"file",location:"invoices.csv",file_type:"csv"}},processing_script:`data["ordered"] = data.quantity * data.unit_price
ordered = data.groupby("customer", as_index=False).ordered.sum()
invoices = sources["invoices"]
unpaid = invoices[invoices.paid_on.isna()].groupby("customer", as_index=False).amount.sum()
joined = ordered.merge(unpaid.rename(columns={"amount": "unpaid"}), on="customer", how="left")
return joined.fillna({"unpaid": 0}).sort_values("unpaid", ascending=False).round(2)
`,consumer_emails:["reports@example.com"]}},{name:"overdue-invoices",report:"Late items: unpaid invoices whose due date has passed, the oldest first",job:{job_name:"overdue invoices",schedule_time:"0 9 * * 1-5",timezone:"Europe/Paris",data_source:{source_type:"file",location:"invoices.csv",file_type:"csv"},processing_script:`due = pd.to_datetime(data.due_on)
today = pd.Timestamp(scheduled_at.date())
late = data[data.paid_on.isna() & (due < today)].copy()
late["days_late"] = (today - due[late.index]).dt.days
return late.sort_values("days_late", ascending=False)[["invoice", "customer", "due_on", "amount", "days_late"]]
`,consumer_emails:["reports@example.com"],when_empty:"skip"}},{name:"penguins",report:"Penguins of the Palmer Archipelago, by species and sex",job:{job_name:"penguins by species",schedule_time:"06:30",timezone:"Europe/Paris",data_source:{source_type:"file",location:"penguins.json",file_type:"json"},processing_script:`def process(data):
    known = data.dropna(subset=["sex", "body_mass_g"])
    table = known.groupby(["species", "sex"], as_index=False).agg(
        penguins=("body_mass_g", "count"),
        mean_mass_g=("body_mass_g", "mean"),
    )
    return table.round({"mean_mass_g": 1})
`,consumer_emails:["biology@example.com"]}},{name:"sales-by-month",report:"Month by month: orders and turnover of each month",job:{job_name:"sales by month",schedule_time:"0 8 1 * *",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`data["month"] = data.ordered_on.str[:7]
data["amount"] = data.quantity * data.unit_price
return data.groupby("month", as_index=False).agg(orders=("order_id", "nunique"), amount=("amount", "sum")).round({"amount": 2})
`,consumer_emails:["reports@example.com"]}},{name:"sales-pivot",report:"Pivot: turnover of each product in each region",job:{job_name:"sales by product and region",schedule_time:"0 8 * * 1",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`data["amount"] = data.quantity * data.unit_price
table = data.pivot_table(index="product", columns="region", values="amount", aggfunc="sum", fill_value=0)
return table.round(2).reset_index()
`,consumer_emails:["reports@example.com"]}},{name:"seattle-weather",report:"Daily weather of Seattle, 2012 to 2015, month by month, with a chart of the rain",job:{job_name:"seattle weather by month",description:"Rain and temperature per month, for the planners.",schedule_time:"0 9 * * 1-5",timezone:"America/Los_Angeles",data_source:{source_type:"file",location:"seattle-weather.csv",file_type:"csv"},processing_script:`days = data.assign(date=pd.to_datetime(data["date"]))
days["month"] = days["date"].dt.strftime("%Y-%m")
days["rainy"] = days["precipitation"] > 0

months = days.groupby("month", as_index=False).agg(
    days=("date", "count"),
    rainy_days=("rainy", "sum"),
    rain_mm=("precipitation", "sum"),
    warmest=("temp_max", "max"),
    coldest=("temp_min", "min"),
)
months["rain_mm"] = months["rain_mm"].round(1)
print(f"{len(days)} days from {days['date'].min():%Y-%m-%d} to {days['date'].max():%Y-%m-%d}")

chart = months.plot.bar(
    x="month", y="rain_mm", title="Rain per month", color="#3b5bdb", width=0.8, legend=False, figsize=(7, 2.6)
)
chart.set(xlabel="", ylabel="mm", xticks=range(0, len(months), 6), xticklabels=months["month"][::6])
chart.tick_params(axis="x", rotation=0)
chart.spines[["top", "right"]].set_visible(False)
return months
`,consumer_emails:["planning@example.com","operations@example.com"]}},{name:"top-customers",report:"Top 10: the customers with the largest turnover",job:{job_name:"top 10 customers",schedule_time:"0 8 * * 1",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`data["amount"] = data.quantity * data.unit_price
return data.groupby("customer", as_index=False).amount.sum().nlargest(10, "amount").round({"amount": 2})
`,consumer_emails:["reports@example.com"]}},{name:"totals-by-region",report:"Totals by group: what each region ordered, the largest first",job:{job_name:"sales by region",schedule_time:"0 7 * * 1-5",timezone:"Europe/Paris",data_source:{source_type:"file",location:"orders.csv",file_type:"csv",types:{order_id:"text"}},processing_script:`data["amount"] = data.quantity * data.unit_price
totals = data.groupby("region", as_index=False).agg(orders=("order_id", "nunique"), amount=("amount", "sum"))
return totals.sort_values("amount", ascending=False).round({"amount": 2})
`,consumer_emails:["reports@example.com"]}}],l={"orders.csv":`order_id,ordered_on,customer,region,product,quantity,unit_price
0010001,2026-09-01,Haus Müller,South,Desk lamp,1,39.00
0010002,2026-09-01,Gupta Traders,South,Monitor,11,249.00
0010003,2026-09-02,Élan Group,West,Notebook,1,4.50
0010004,2026-09-02,Kite Works,East,Monitor,11,249.00
0010005,2026-09-02,Acme Ltd,North,Keyboard,10,59.90
0010006,2026-09-02,Lindqvist AB,South,Desk lamp,10,39.00
0010007,2026-09-02,Dune & Sons,East,Notebook,7,4.50
0010008,2026-09-03,Fjord Oy,East,Pen,12,1.20
0010009,2026-09-03,Juárez SA,East,Desk lamp,1,39.00
0010010,2026-09-03,Kite Works,West,Desk lamp,7,39.00
0010011,2026-09-03,Borealis AG,West,Office chair,3,189.00
0010012,2026-09-04,Haus Müller,South,Office chair,10,189.00
0010013,2026-09-04,Acme Ltd,South,Office chair,5,189.00
0010014,2026-09-04,Borealis AG,North,Office chair,2,189.00
0010015,2026-09-05,Ikeda KK,South,Keyboard,10,59.90
0010016,2026-09-05,Juárez SA,West,Desk lamp,4,39.00
0010017,2026-09-05,Juárez SA,East,Office chair,1,189.00
0010018,2026-09-05,Acme Ltd,South,Keyboard,2,59.90
0010019,2026-09-05,Borealis AG,East,Desk lamp,9,39.00
0010020,2026-09-06,Gupta Traders,West,Desk lamp,2,39.00
0010021,2026-09-06,Lindqvist AB,South,Pen,6,1.20
0010022,2026-09-06,Haus Müller,West,Office chair,12,189.00
0010023,2026-09-06,Acme Ltd,North,Monitor,9,249.00
0010024,2026-09-07,Kite Works,South,Monitor,12,249.00
0010025,2026-09-07,Haus Müller,East,Pen,10,1.20
0010026,2026-09-08,Acme Ltd,West,Notebook,11,4.50
0010027,2026-09-08,Dune & Sons,South,Monitor,4,249.00
0010028,2026-09-08,Fjord Oy,North,Notebook,10,4.50
0010029,2026-09-08,Acme Ltd,North,Notebook,10,4.50
0010030,2026-09-09,Ikeda KK,North,Office chair,1,189.00
0010031,2026-09-09,Acme Ltd,East,Keyboard,4,59.90
0010032,2026-09-09,Juárez SA,East,Desk lamp,10,39.00
0010033,2026-09-09,Fjord Oy,North,Desk lamp,1,39.00
0010034,2026-09-09,Dune & Sons,West,Keyboard,7,59.90
0010035,2026-09-10,Ikeda KK,East,Pen,12,1.20
0010036,2026-09-10,Ikeda KK,West,Office chair,11,189.00
0010037,2026-09-10,Haus Müller,West,Office chair,7,189.00
0010038,2026-09-11,Juárez SA,North,Desk lamp,11,39.00
0010039,2026-09-11,Borealis AG,East,Monitor,12,249.00
0010039,2026-09-11,Borealis AG,East,Monitor,12,249.00
0010040,2026-09-11,Borealis AG,North,Keyboard,11,59.90
0010041,2026-09-11,Juárez SA,North,Desk lamp,7,39.00
0010042,2026-09-11,Haus Müller,South,Monitor,7,249.00
0010043,2026-09-12,Gupta Traders,East,Monitor,6,249.00
0010044,2026-09-12,Juárez SA,South,Keyboard,4,59.90
0010045,2026-09-12,Ikeda KK,South,Monitor,8,249.00
0010046,2026-09-13,Acme Ltd,West,Desk lamp,10,39.00
0010047,2026-09-13,Haus Müller,West,Pen,12,1.20
0010048,2026-09-13,Fjord Oy,West,Office chair,11,189.00
0010049,2026-09-13,Lindqvist AB,South,Monitor,6,249.00
0010050,2026-09-14,Haus Müller,North,Desk lamp,2,39.00
0010051,2026-09-14,Lindqvist AB,South,Monitor,10,249.00
0010052,2026-09-15,Lindqvist AB,East,Office chair,2,189.00
0010053,2026-09-15,Ikeda KK,North,Office chair,3,189.00
0010054,2026-09-15,Juárez SA,East,Notebook,8,4.50
0010055,2026-09-15,Fjord Oy,East,Keyboard,11,59.90
0010056,2026-09-16,Juárez SA,North,Monitor,6,249.00
0010057,2026-09-16,Fjord Oy,South,Monitor,5,249.00
0010058,2026-09-17,Kite Works,South,Pen,7,1.20
0010059,2026-09-17,Ikeda KK,West,Notebook,11,4.50
0010060,2026-09-17,Borealis AG,West,Pen,12,1.20
0010061,2026-09-17,Haus Müller,South,Monitor,7,249.00
0010062,2026-09-17,Kite Works,South,Notebook,4,4.50
0010063,2026-09-18,Dune & Sons,North,Desk lamp,2,39.00
0010064,2026-09-18,Fjord Oy,West,Pen,5,1.20
0010065,2026-09-18,Kite Works,North,Monitor,5,249.00
0010066,2026-09-19,Lindqvist AB,East,Office chair,9,189.00
0010067,2026-09-19,Borealis AG,East,Pen,10,1.20
0010068,2026-09-19,Ikeda KK,East,Desk lamp,7,39.00
0010069,2026-09-19,Kite Works,North,Pen,10,1.20
0010070,2026-09-19,Acme Ltd,East,Notebook,9,4.50
0010071,2026-09-20,Dune & Sons,East,Notebook,1,4.50
0010072,2026-09-20,Élan Group,North,Keyboard,10,59.90
0010073,2026-09-20,Dune & Sons,West,Desk lamp,8,39.00
0010074,2026-09-21,Juárez SA,South,Notebook,1,4.50
0010075,2026-09-21,Borealis AG,East,Desk lamp,11,39.00
0010076,2026-09-21,Ikeda KK,North,Notebook,9,4.50
0010077,2026-09-21,Borealis AG,West,Desk lamp,4,39.00
0010078,2026-09-22,Café Lumière,South,Office chair,7,189.00
0010079,2026-09-22,Haus Müller,South,Pen,1,1.20
0010080,2026-09-22,Gupta Traders,East,Monitor,6,249.00
0010081,2026-09-22,Acme Ltd,West,Pen,11,1.20
0010082,2026-09-23,Élan Group,North,Office chair,5,189.00
0010083,2026-09-23,Élan Group,South,Keyboard,10,59.90
0010084,2026-09-23,Haus Müller,South,Keyboard,11,59.90
0010085,2026-09-24,Haus Müller,West,Pen,12,1.20
0010086,2026-09-24,Élan Group,South,Office chair,7,189.00
0010087,2026-09-24,Kite Works,West,Desk lamp,2,39.00
0010088,2026-09-25,Fjord Oy,North,Desk lamp,11,39.00
0010089,2026-09-25,Ikeda KK,East,Office chair,9,189.00
0010090,2026-09-26,Élan Group,North,Desk lamp,6,39.00
0010091,2026-09-26,Élan Group,West,Office chair,11,189.00
0010092,2026-09-26,Kite Works,West,Pen,3,1.20
0010093,2026-09-26,Lindqvist AB,North,Desk lamp,6,39.00
0010094,2026-09-26,Café Lumière,East,Office chair,12,189.00
0010095,2026-09-27,Dune & Sons,North,Pen,12,1.20
0010096,2026-09-27,Gupta Traders,East,Keyboard,7,59.90
0010097,2026-09-27,Gupta Traders,West,Keyboard,6,59.90
0010098,2026-09-27,Haus Müller,East,Monitor,10,249.00
0010099,2026-09-28,Ikeda KK,East,Office chair,2,189.00
0010100,2026-09-28,Fjord Oy,East,Notebook,1,4.50
0010101,2026-09-28,Kite Works,South,Desk lamp,4,39.00
0010102,2026-09-29,Acme Ltd,East,Office chair,3,189.00
0010103,2026-09-29,Kite Works,East,Notebook,4,4.50
0010104,2026-09-29,Lindqvist AB,West,Pen,8,1.20
0010105,2026-09-29,Acme Ltd,North,Desk lamp,12,39.00
0010106,2026-09-30,Ikeda KK,North,Keyboard,5,59.90
0010107,2026-09-30,Café Lumière,West,Desk lamp,10,39.00
0010108,2026-10-01,Café Lumière,South,Desk lamp,5,39.00
0010109,2026-10-01,Kite Works,West,Office chair,6,189.00
0010110,2026-10-01,Juárez SA,South,Monitor,12,249.00
0010111,2026-10-02,Juárez SA,North,Office chair,1,189.00
0010112,2026-10-02,Fjord Oy,North,Desk lamp,6,39.00
0010113,2026-10-02,Dune & Sons,West,Keyboard,3,59.90
0010114,2026-10-02,Café Lumière,South,Notebook,7,4.50
0010115,2026-10-02,Acme Ltd,North,Notebook,4,4.50
0010116,2026-10-03,Gupta Traders,East,Desk lamp,8,39.00
0010117,2026-10-03,Juárez SA,East,Office chair,11,189.00
0010118,2026-10-03,Borealis AG,South,Pen,7,1.20
0010119,2026-10-04,Café Lumière,North,Keyboard,7,59.90
0010119,2026-10-04,Café Lumière,North,Keyboard,7,59.90
0010120,2026-10-04,Haus Müller,West,Notebook,1,4.50
0010121,2026-10-04,Lindqvist AB,North,Office chair,10,189.00
0010122,2026-10-04,Élan Group,West,Monitor,1,249.00
0010123,2026-10-05,Haus Müller,East,Keyboard,5,59.90
0010124,2026-10-05,Dune & Sons,South,Desk lamp,1,39.00
0010125,2026-10-05,Café Lumière,North,Desk lamp,12,39.00
0010126,2026-10-05,Ikeda KK,West,Keyboard,12,59.90
0010127,2026-10-06,Acme Ltd,West,Keyboard,4,59.90
0010128,2026-10-06,Lindqvist AB,West,Office chair,6,189.00
0010129,2026-10-07,Fjord Oy,South,Monitor,5,249.00
0010130,2026-10-07,Fjord Oy,West,Keyboard,1,59.90
0010131,2026-10-07,Élan Group,East,Pen,6,1.20
0010132,2026-10-07,Acme Ltd,North,Desk lamp,7,39.00
0010133,2026-10-08,Gupta Traders,East,Keyboard,9,59.90
0010134,2026-10-08,Kite Works,North,Keyboard,6,59.90
0010135,2026-10-08,Élan Group,North,Office chair,4,189.00
0010136,2026-10-09,Acme Ltd,West,Pen,7,1.20
0010137,2026-10-09,Lindqvist AB,South,Notebook,3,4.50
0010138,2026-10-09,Kite Works,West,Pen,2,1.20
0010139,2026-10-10,Haus Müller,East,Desk lamp,10,39.00
0010140,2026-10-10,Café Lumière,North,Monitor,1,249.00
0010141,2026-10-11,Ikeda KK,East,Office chair,11,189.00
0010142,2026-10-11,Kite Works,North,Notebook,1,4.50
0010143,2026-10-12,Lindqvist AB,East,Office chair,3,189.00
0010144,2026-10-12,Café Lumière,East,Desk lamp,11,39.00
0010145,2026-10-12,Gupta Traders,North,Pen,9,1.20
0010146,2026-10-12,Acme Ltd,West,Monitor,12,249.00
0010147,2026-10-12,Haus Müller,East,Notebook,4,4.50
0010148,2026-10-13,Dune & Sons,West,Notebook,6,4.50
0010149,2026-10-13,Lindqvist AB,East,Monitor,5,249.00
0010150,2026-10-13,Kite Works,South,Notebook,10,4.50
0010151,2026-10-13,Café Lumière,West,Keyboard,5,59.90
0010152,2026-10-13,Café Lumière,West,Notebook,7,4.50
0010153,2026-10-15,Fjord Oy,South,Desk lamp,3,39.00
0010154,2026-10-15,Lindqvist AB,East,Keyboard,7,59.90
0010155,2026-10-16,Café Lumière,North,Keyboard,9,59.90
0010156,2026-10-16,Gupta Traders,South,Pen,5,1.20
0010157,2026-10-16,Café Lumière,South,Desk lamp,4,39.00
0010158,2026-10-16,Élan Group,West,Keyboard,7,59.90
0010159,2026-10-16,Haus Müller,North,Desk lamp,11,39.00
0010160,2026-10-17,Haus Müller,West,Pen,2,1.20
0010161,2026-10-17,Fjord Oy,West,Desk lamp,1,39.00
0010162,2026-10-17,Lindqvist AB,East,Pen,1,1.20
0010163,2026-10-18,Lindqvist AB,South,Notebook,1,4.50
0010164,2026-10-18,Dune & Sons,North,Monitor,8,249.00
0010165,2026-10-19,Kite Works,West,Desk lamp,4,39.00
0010166,2026-10-19,Café Lumière,East,Monitor,8,249.00
0010167,2026-10-19,Juárez SA,North,Office chair,12,189.00
0010168,2026-10-20,Borealis AG,South,Desk lamp,10,39.00
0010169,2026-10-20,Kite Works,East,Keyboard,7,59.90
0010170,2026-10-20,Élan Group,East,Keyboard,6,59.90
0010171,2026-10-21,Borealis AG,North,Monitor,10,249.00
0010172,2026-10-21,Gupta Traders,South,Keyboard,2,59.90
0010173,2026-10-21,Lindqvist AB,South,Desk lamp,12,39.00
0010174,2026-10-22,Élan Group,West,Keyboard,5,59.90
0010175,2026-10-22,Haus Müller,North,Notebook,5,4.50
0010176,2026-10-23,Dune & Sons,South,Pen,2,1.20
0010177,2026-10-23,Fjord Oy,North,Pen,8,1.20
0010178,2026-10-24,Acme Ltd,West,Office chair,9,189.00
0010179,2026-10-24,Juárez SA,East,Monitor,8,249.00
0010180,2026-10-24,Haus Müller,North,Keyboard,12,59.90
0010181,2026-10-24,Juárez SA,North,Keyboard,10,59.90
0010182,2026-10-25,Gupta Traders,West,Office chair,6,189.00
0010183,2026-10-25,Dune & Sons,East,Keyboard,12,59.90
0010184,2026-10-25,Borealis AG,West,Monitor,11,249.00
0010185,2026-10-26,Ikeda KK,East,Desk lamp,8,39.00
0010186,2026-10-26,Fjord Oy,North,Keyboard,12,59.90
0010187,2026-10-27,Acme Ltd,South,Desk lamp,6,39.00
0010188,2026-10-27,Borealis AG,South,Pen,9,1.20
0010189,2026-10-27,Élan Group,North,Desk lamp,7,39.00
0010190,2026-10-27,Ikeda KK,North,Desk lamp,12,39.00
0010191,2026-10-27,Lindqvist AB,East,Pen,8,1.20
0010192,2026-10-28,Fjord Oy,South,Keyboard,9,59.90
0010193,2026-10-28,Kite Works,South,Pen,7,1.20
0010194,2026-10-28,Café Lumière,North,Office chair,4,189.00
0010195,2026-10-28,Ikeda KK,West,Keyboard,1,59.90
0010196,2026-10-29,Kite Works,East,Notebook,7,4.50
0010197,2026-10-29,Élan Group,North,Desk lamp,10,39.00
0010198,2026-10-29,Dune & Sons,West,Monitor,3,249.00
0010199,2026-10-30,Lindqvist AB,South,Pen,3,1.20
0010199,2026-10-30,Lindqvist AB,South,Pen,3,1.20
0010200,2026-10-30,Haus Müller,North,Pen,7,1.20
0010201,2026-10-30,Kite Works,East,Office chair,12,189.00
0010202,2026-10-30,Lindqvist AB,East,Monitor,10,249.00
0010203,2026-10-31,Kite Works,West,Monitor,12,249.00
0010204,2026-10-31,Borealis AG,South,Keyboard,9,59.90
0010205,2026-11-01,Acme Ltd,West,Notebook,6,4.50
0010206,2026-11-01,Ikeda KK,South,Pen,6,1.20
0010207,2026-11-02,Dune & Sons,South,Office chair,12,189.00
0010208,2026-11-02,Kite Works,West,Desk lamp,7,39.00
0010209,2026-11-02,Kite Works,South,Office chair,6,189.00
0010210,2026-11-02,Dune & Sons,East,Office chair,9,189.00
0010211,2026-11-03,Kite Works,South,Pen,7,1.20
0010212,2026-11-03,Borealis AG,South,Monitor,12,249.00
0010213,2026-11-03,Borealis AG,East,Notebook,1,4.50
0010214,2026-11-04,Juárez SA,North,Notebook,1,4.50
0010215,2026-11-04,Haus Müller,West,Monitor,10,249.00
0010216,2026-11-04,Kite Works,West,Pen,11,1.20
0010217,2026-11-05,Gupta Traders,North,Notebook,12,4.50
0010218,2026-11-05,Juárez SA,North,Monitor,7,249.00
0010219,2026-11-06,Gupta Traders,North,Notebook,4,4.50
0010220,2026-11-06,Café Lumière,North,Pen,7,1.20
0010221,2026-11-06,Lindqvist AB,North,Pen,5,1.20
0010222,2026-11-07,Haus Müller,South,Office chair,5,189.00
0010223,2026-11-07,Ikeda KK,West,Notebook,12,4.50
0010224,2026-11-07,Fjord Oy,West,Desk lamp,12,39.00
0010225,2026-11-07,Borealis AG,South,Pen,4,1.20
0010226,2026-11-08,Ikeda KK,North,Office chair,5,189.00
0010227,2026-11-08,Lindqvist AB,North,Keyboard,2,59.90
0010228,2026-11-08,Borealis AG,South,Monitor,4,249.00
0010229,2026-11-08,Fjord Oy,East,Desk lamp,10,39.00
0010230,2026-11-08,Borealis AG,East,Notebook,11,4.50
0010231,2026-11-10,Lindqvist AB,West,Notebook,8,4.50
0010232,2026-11-10,Juárez SA,South,Monitor,9,249.00
0010233,2026-11-10,Acme Ltd,East,Monitor,3,249.00
0010234,2026-11-10,Juárez SA,East,Notebook,9,4.50
0010235,2026-11-11,Fjord Oy,East,Pen,2,1.20
0010236,2026-11-11,Gupta Traders,South,Desk lamp,11,39.00
0010237,2026-11-11,Lindqvist AB,East,Monitor,12,249.00
0010238,2026-11-11,Acme Ltd,West,Notebook,9,4.50
0010239,2026-11-11,Ikeda KK,East,Monitor,2,249.00
0010240,2026-11-12,Élan Group,West,Keyboard,1,59.90
0010241,2026-11-12,Fjord Oy,South,Pen,8,1.20
0010242,2026-11-12,Acme Ltd,West,Keyboard,11,59.90
0010243,2026-11-12,Acme Ltd,South,Notebook,3,4.50
0010244,2026-11-13,Juárez SA,South,Desk lamp,6,39.00
0010245,2026-11-13,Élan Group,East,Office chair,12,189.00
0010246,2026-11-13,Lindqvist AB,North,Office chair,2,189.00
0010247,2026-11-13,Borealis AG,West,Desk lamp,12,39.00
0010248,2026-11-14,Élan Group,South,Pen,6,1.20
0010249,2026-11-14,Élan Group,West,Office chair,11,189.00
0010250,2026-11-15,Élan Group,South,Monitor,9,249.00
0010251,2026-11-15,Ikeda KK,South,Pen,6,1.20
0010252,2026-11-15,Kite Works,South,Keyboard,10,59.90
0010253,2026-11-15,Acme Ltd,South,Keyboard,8,59.90
0010254,2026-11-15,Acme Ltd,North,Office chair,4,189.00
0010255,2026-11-16,Fjord Oy,South,Notebook,9,4.50
0010256,2026-11-16,Kite Works,West,Office chair,8,189.00
0010257,2026-11-16,Borealis AG,South,Notebook,7,4.50
0010258,2026-11-16,Borealis AG,West,Office chair,10,189.00
0010259,2026-11-16,Kite Works,North,Desk lamp,4,39.00
0010260,2026-11-17,Fjord Oy,South,Pen,4,1.20
0010261,2026-11-17,Élan Group,West,Office chair,1,189.00
0010262,2026-11-17,Ikeda KK,East,Monitor,5,249.00
0010263,2026-11-18,Dune & Sons,North,Notebook,8,4.50
0010264,2026-11-18,Acme Ltd,South,Keyboard,11,59.90
0010265,2026-11-19,Fjord Oy,South,Pen,3,1.20
0010266,2026-11-19,Juárez SA,South,Notebook,2,4.50
0010267,2026-11-19,Lindqvist AB,North,Office chair,3,189.00
0010268,2026-11-19,Kite Works,North,Desk lamp,12,39.00
0010269,2026-11-20,Élan Group,West,Desk lamp,11,39.00
0010270,2026-11-20,Borealis AG,South,Monitor,8,249.00
0010271,2026-11-20,Élan Group,North,Pen,12,1.20
0010272,2026-11-21,Dune & Sons,West,Desk lamp,4,39.00
0010273,2026-11-21,Dune & Sons,West,Notebook,8,4.50
0010274,2026-11-21,Fjord Oy,West,Pen,12,1.20
0010275,2026-11-22,Élan Group,East,Office chair,10,189.00
0010276,2026-11-22,Élan Group,East,Office chair,12,189.00
0010277,2026-11-22,Lindqvist AB,West,Monitor,3,249.00
0010278,2026-11-22,Dune & Sons,West,Desk lamp,1,39.00
0010279,2026-11-22,Café Lumière,East,Monitor,4,249.00
0010280,2026-11-23,Ikeda KK,South,Office chair,6,189.00
0010281,2026-11-23,Élan Group,South,Desk lamp,3,39.00
0010282,2026-11-24,Juárez SA,North,Keyboard,8,59.90
0010283,2026-11-24,Haus Müller,West,Monitor,3,249.00
0010284,2026-11-24,Dune & Sons,North,Monitor,6,249.00
0010285,2026-11-24,Ikeda KK,South,Keyboard,7,59.90
0010286,2026-11-24,Lindqvist AB,East,Monitor,11,249.00
`,"invoices.csv":`invoice,customer,issued_on,due_on,amount,paid_on
INV-02600,Élan Group,2026-09-21,2026-10-21,77.25,2026-09-29
INV-02601,Acme Ltd,2026-10-22,2026-11-21,2559.99,
INV-02602,Borealis AG,2026-09-30,2026-10-30,390.25,2026-11-08
INV-02603,Élan Group,2026-11-14,2026-12-14,2837.50,
INV-02604,Kite Works,2026-10-09,2026-11-08,1844.50,
INV-02605,Café Lumière,2026-09-13,2026-10-13,3529.00,2026-10-02
INV-02606,Juárez SA,2026-09-27,2026-10-27,1778.00,2026-10-31
INV-02607,Dune & Sons,2026-09-07,2026-10-07,1796.00,2026-10-05
INV-02608,Ikeda KK,2026-11-07,2026-12-07,2377.25,
INV-02609,Café Lumière,2026-09-14,2026-10-14,3093.99,
INV-02610,Borealis AG,2026-11-16,2026-12-16,1576.50,
INV-02611,Kite Works,2026-10-14,2026-11-13,345.00,2026-11-23
INV-02612,Acme Ltd,2026-10-14,2026-11-13,2216.50,2026-10-27
INV-02613,Juárez SA,2026-09-06,2026-10-06,2285.50,
INV-02614,Dune & Sons,2026-11-15,2026-12-15,937.50,
INV-02615,Haus Müller,2026-10-22,2026-11-21,784.99,2026-11-17
INV-02616,Fjord Oy,2026-11-01,2026-12-01,804.00,2026-11-12
INV-02617,Ikeda KK,2026-09-03,2026-10-03,3723.99,2026-10-13
INV-02618,Lindqvist AB,2026-09-05,2026-10-05,2548.99,2026-10-12
INV-02619,Acme Ltd,2026-10-25,2026-11-24,2991.00,
INV-02620,Borealis AG,2026-11-12,2026-12-12,1268.99,
INV-02621,Gupta Traders,2026-09-23,2026-10-23,3678.99,2026-10-14
INV-02622,Gupta Traders,2026-11-15,2026-12-15,2154.50,
INV-02623,Borealis AG,2026-09-19,2026-10-19,3768.50,
INV-02624,Lindqvist AB,2026-10-31,2026-11-30,1483.50,
INV-02625,Borealis AG,2026-11-07,2026-12-07,290.25,
INV-02626,Lindqvist AB,2026-11-19,2026-12-19,873.00,
INV-02627,Élan Group,2026-11-12,2026-12-12,3220.50,
INV-02628,Café Lumière,2026-10-18,2026-11-17,3749.99,2026-11-18
INV-02629,Fjord Oy,2026-10-16,2026-11-15,838.99,2026-11-01
INV-02630,Café Lumière,2026-09-03,2026-10-03,787.25,2026-09-27
INV-02631,Acme Ltd,2026-10-04,2026-11-03,3082.00,
INV-02632,Dune & Sons,2026-09-09,2026-10-09,2901.25,2026-10-11
INV-02633,Café Lumière,2026-10-18,2026-11-17,1055.25,2026-10-25
INV-02634,Acme Ltd,2026-09-15,2026-10-15,1104.25,
INV-02635,Dune & Sons,2026-10-31,2026-11-30,3762.50,2026-11-12
INV-02636,Café Lumière,2026-09-15,2026-10-15,1019.00,
INV-02637,Café Lumière,2026-10-09,2026-11-08,131.99,
INV-02638,Kite Works,2026-10-26,2026-11-25,32.99,
INV-02639,Dune & Sons,2026-09-13,2026-10-13,3344.99,2026-10-06
INV-02640,Café Lumière,2026-11-09,2026-12-09,582.00,
INV-02641,Juárez SA,2026-11-04,2026-12-04,1376.25,
INV-02642,Dune & Sons,2026-11-10,2026-12-10,2233.25,
INV-02643,Borealis AG,2026-10-14,2026-11-13,1147.99,2026-11-12
INV-02644,Haus Müller,2026-10-30,2026-11-29,3129.99,2026-11-08
INV-02645,Élan Group,2026-10-20,2026-11-19,2097.25,2026-11-18
INV-02646,Élan Group,2026-09-16,2026-10-16,3013.25,2026-10-13
INV-02647,Lindqvist AB,2026-11-11,2026-12-11,114.25,
INV-02648,Gupta Traders,2026-10-24,2026-11-23,73.99,
INV-02649,Fjord Oy,2026-10-23,2026-11-22,242.50,
INV-02650,Kite Works,2026-09-28,2026-10-28,1984.50,
INV-02651,Kite Works,2026-10-14,2026-11-13,2256.00,
INV-02652,Haus Müller,2026-09-05,2026-10-05,3808.99,2026-10-06
INV-02653,Haus Müller,2026-09-30,2026-10-30,384.25,2026-10-14
INV-02654,Élan Group,2026-10-23,2026-11-22,2566.00,
INV-02655,Dune & Sons,2026-11-12,2026-12-12,332.25,
INV-02656,Ikeda KK,2026-10-23,2026-11-22,2594.25,2026-11-17
INV-02657,Fjord Oy,2026-09-27,2026-10-27,581.00,
INV-02658,Juárez SA,2026-09-07,2026-10-07,2881.99,2026-10-13
INV-02659,Dune & Sons,2026-10-30,2026-11-29,823.99,
`,"penguins.json":`[{"species":"Adelie","island":"Torgersen","bill_length_mm":39.1,"bill_depth_mm":18.7,"flipper_length_mm":181.0,"body_mass_g":3750.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.5,"bill_depth_mm":17.4,"flipper_length_mm":186.0,"body_mass_g":3800.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":40.3,"bill_depth_mm":18.0,"flipper_length_mm":195.0,"body_mass_g":3250.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":null,"bill_depth_mm":null,"flipper_length_mm":null,"body_mass_g":null,"sex":null,"year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":36.7,"bill_depth_mm":19.3,"flipper_length_mm":193.0,"body_mass_g":3450.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.3,"bill_depth_mm":20.6,"flipper_length_mm":190.0,"body_mass_g":3650.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.9,"bill_depth_mm":17.8,"flipper_length_mm":181.0,"body_mass_g":3625.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.2,"bill_depth_mm":19.6,"flipper_length_mm":195.0,"body_mass_g":4675.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":34.1,"bill_depth_mm":18.1,"flipper_length_mm":193.0,"body_mass_g":3475.0,"sex":null,"year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":42.0,"bill_depth_mm":20.2,"flipper_length_mm":190.0,"body_mass_g":4250.0,"sex":null,"year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":37.8,"bill_depth_mm":17.1,"flipper_length_mm":186.0,"body_mass_g":3300.0,"sex":null,"year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":37.8,"bill_depth_mm":17.3,"flipper_length_mm":180.0,"body_mass_g":3700.0,"sex":null,"year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":41.1,"bill_depth_mm":17.6,"flipper_length_mm":182.0,"body_mass_g":3200.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.6,"bill_depth_mm":21.2,"flipper_length_mm":191.0,"body_mass_g":3800.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":34.6,"bill_depth_mm":21.1,"flipper_length_mm":198.0,"body_mass_g":4400.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":36.6,"bill_depth_mm":17.8,"flipper_length_mm":185.0,"body_mass_g":3700.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.7,"bill_depth_mm":19.0,"flipper_length_mm":195.0,"body_mass_g":3450.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":42.5,"bill_depth_mm":20.7,"flipper_length_mm":197.0,"body_mass_g":4500.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":34.4,"bill_depth_mm":18.4,"flipper_length_mm":184.0,"body_mass_g":3325.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Torgersen","bill_length_mm":46.0,"bill_depth_mm":21.5,"flipper_length_mm":194.0,"body_mass_g":4200.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.8,"bill_depth_mm":18.3,"flipper_length_mm":174.0,"body_mass_g":3400.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.7,"bill_depth_mm":18.7,"flipper_length_mm":180.0,"body_mass_g":3600.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.9,"bill_depth_mm":19.2,"flipper_length_mm":189.0,"body_mass_g":3800.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.2,"bill_depth_mm":18.1,"flipper_length_mm":185.0,"body_mass_g":3950.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.8,"bill_depth_mm":17.2,"flipper_length_mm":180.0,"body_mass_g":3800.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.3,"bill_depth_mm":18.9,"flipper_length_mm":187.0,"body_mass_g":3800.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":40.6,"bill_depth_mm":18.6,"flipper_length_mm":183.0,"body_mass_g":3550.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":40.5,"bill_depth_mm":17.9,"flipper_length_mm":187.0,"body_mass_g":3200.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.9,"bill_depth_mm":18.6,"flipper_length_mm":172.0,"body_mass_g":3150.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":40.5,"bill_depth_mm":18.9,"flipper_length_mm":180.0,"body_mass_g":3950.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":39.5,"bill_depth_mm":16.7,"flipper_length_mm":178.0,"body_mass_g":3250.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":37.2,"bill_depth_mm":18.1,"flipper_length_mm":178.0,"body_mass_g":3900.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":39.5,"bill_depth_mm":17.8,"flipper_length_mm":188.0,"body_mass_g":3300.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":40.9,"bill_depth_mm":18.9,"flipper_length_mm":184.0,"body_mass_g":3900.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":36.4,"bill_depth_mm":17.0,"flipper_length_mm":195.0,"body_mass_g":3325.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":39.2,"bill_depth_mm":21.1,"flipper_length_mm":196.0,"body_mass_g":4150.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":38.8,"bill_depth_mm":20.0,"flipper_length_mm":190.0,"body_mass_g":3950.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":42.2,"bill_depth_mm":18.5,"flipper_length_mm":180.0,"body_mass_g":3550.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":37.6,"bill_depth_mm":19.3,"flipper_length_mm":181.0,"body_mass_g":3300.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":39.8,"bill_depth_mm":19.1,"flipper_length_mm":184.0,"body_mass_g":4650.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":36.5,"bill_depth_mm":18.0,"flipper_length_mm":182.0,"body_mass_g":3150.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":40.8,"bill_depth_mm":18.4,"flipper_length_mm":195.0,"body_mass_g":3900.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":36.0,"bill_depth_mm":18.5,"flipper_length_mm":186.0,"body_mass_g":3100.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":44.1,"bill_depth_mm":19.7,"flipper_length_mm":196.0,"body_mass_g":4400.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":37.0,"bill_depth_mm":16.9,"flipper_length_mm":185.0,"body_mass_g":3000.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":39.6,"bill_depth_mm":18.8,"flipper_length_mm":190.0,"body_mass_g":4600.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":41.1,"bill_depth_mm":19.0,"flipper_length_mm":182.0,"body_mass_g":3425.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":37.5,"bill_depth_mm":18.9,"flipper_length_mm":179.0,"body_mass_g":2975.0,"sex":null,"year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":36.0,"bill_depth_mm":17.9,"flipper_length_mm":190.0,"body_mass_g":3450.0,"sex":"female","year":2007},
{"species":"Adelie","island":"Dream","bill_length_mm":42.3,"bill_depth_mm":21.2,"flipper_length_mm":191.0,"body_mass_g":4150.0,"sex":"male","year":2007},
{"species":"Adelie","island":"Biscoe","bill_length_mm":39.6,"bill_depth_mm":17.7,"flipper_length_mm":186.0,"body_mass_g":3500.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":40.1,"bill_depth_mm":18.9,"flipper_length_mm":188.0,"body_mass_g":4300.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.0,"bill_depth_mm":17.9,"flipper_length_mm":190.0,"body_mass_g":3450.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":42.0,"bill_depth_mm":19.5,"flipper_length_mm":200.0,"body_mass_g":4050.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":34.5,"bill_depth_mm":18.1,"flipper_length_mm":187.0,"body_mass_g":2900.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.4,"bill_depth_mm":18.6,"flipper_length_mm":191.0,"body_mass_g":3700.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":39.0,"bill_depth_mm":17.5,"flipper_length_mm":186.0,"body_mass_g":3550.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":40.6,"bill_depth_mm":18.8,"flipper_length_mm":193.0,"body_mass_g":3800.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":36.5,"bill_depth_mm":16.6,"flipper_length_mm":181.0,"body_mass_g":2850.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.6,"bill_depth_mm":19.1,"flipper_length_mm":194.0,"body_mass_g":3750.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.7,"bill_depth_mm":16.9,"flipper_length_mm":185.0,"body_mass_g":3150.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.3,"bill_depth_mm":21.1,"flipper_length_mm":195.0,"body_mass_g":4400.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.6,"bill_depth_mm":17.0,"flipper_length_mm":185.0,"body_mass_g":3600.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.1,"bill_depth_mm":18.2,"flipper_length_mm":192.0,"body_mass_g":4050.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":36.4,"bill_depth_mm":17.1,"flipper_length_mm":184.0,"body_mass_g":2850.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.6,"bill_depth_mm":18.0,"flipper_length_mm":192.0,"body_mass_g":3950.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.5,"bill_depth_mm":16.2,"flipper_length_mm":195.0,"body_mass_g":3350.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.1,"bill_depth_mm":19.1,"flipper_length_mm":188.0,"body_mass_g":4100.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":35.9,"bill_depth_mm":16.6,"flipper_length_mm":190.0,"body_mass_g":3050.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":41.8,"bill_depth_mm":19.4,"flipper_length_mm":198.0,"body_mass_g":4450.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":33.5,"bill_depth_mm":19.0,"flipper_length_mm":190.0,"body_mass_g":3600.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.7,"bill_depth_mm":18.4,"flipper_length_mm":190.0,"body_mass_g":3900.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.6,"bill_depth_mm":17.2,"flipper_length_mm":196.0,"body_mass_g":3550.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":45.8,"bill_depth_mm":18.9,"flipper_length_mm":197.0,"body_mass_g":4150.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":35.5,"bill_depth_mm":17.5,"flipper_length_mm":190.0,"body_mass_g":3700.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":42.8,"bill_depth_mm":18.5,"flipper_length_mm":195.0,"body_mass_g":4250.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":40.9,"bill_depth_mm":16.8,"flipper_length_mm":191.0,"body_mass_g":3700.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":37.2,"bill_depth_mm":19.4,"flipper_length_mm":184.0,"body_mass_g":3900.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":36.2,"bill_depth_mm":16.1,"flipper_length_mm":187.0,"body_mass_g":3550.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":42.1,"bill_depth_mm":19.1,"flipper_length_mm":195.0,"body_mass_g":4000.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":34.6,"bill_depth_mm":17.2,"flipper_length_mm":189.0,"body_mass_g":3200.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":42.9,"bill_depth_mm":17.6,"flipper_length_mm":196.0,"body_mass_g":4700.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":36.7,"bill_depth_mm":18.8,"flipper_length_mm":187.0,"body_mass_g":3800.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Torgersen","bill_length_mm":35.1,"bill_depth_mm":19.4,"flipper_length_mm":193.0,"body_mass_g":4200.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":37.3,"bill_depth_mm":17.8,"flipper_length_mm":191.0,"body_mass_g":3350.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":41.3,"bill_depth_mm":20.3,"flipper_length_mm":194.0,"body_mass_g":3550.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":36.3,"bill_depth_mm":19.5,"flipper_length_mm":190.0,"body_mass_g":3800.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":36.9,"bill_depth_mm":18.6,"flipper_length_mm":189.0,"body_mass_g":3500.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":38.3,"bill_depth_mm":19.2,"flipper_length_mm":189.0,"body_mass_g":3950.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":38.9,"bill_depth_mm":18.8,"flipper_length_mm":190.0,"body_mass_g":3600.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":35.7,"bill_depth_mm":18.0,"flipper_length_mm":202.0,"body_mass_g":3550.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":41.1,"bill_depth_mm":18.1,"flipper_length_mm":205.0,"body_mass_g":4300.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":34.0,"bill_depth_mm":17.1,"flipper_length_mm":185.0,"body_mass_g":3400.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":39.6,"bill_depth_mm":18.1,"flipper_length_mm":186.0,"body_mass_g":4450.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":36.2,"bill_depth_mm":17.3,"flipper_length_mm":187.0,"body_mass_g":3300.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":40.8,"bill_depth_mm":18.9,"flipper_length_mm":208.0,"body_mass_g":4300.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":38.1,"bill_depth_mm":18.6,"flipper_length_mm":190.0,"body_mass_g":3700.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":40.3,"bill_depth_mm":18.5,"flipper_length_mm":196.0,"body_mass_g":4350.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":33.1,"bill_depth_mm":16.1,"flipper_length_mm":178.0,"body_mass_g":2900.0,"sex":"female","year":2008},
{"species":"Adelie","island":"Dream","bill_length_mm":43.2,"bill_depth_mm":18.5,"flipper_length_mm":192.0,"body_mass_g":4100.0,"sex":"male","year":2008},
{"species":"Adelie","island":"Biscoe","bill_length_mm":35.0,"bill_depth_mm":17.9,"flipper_length_mm":192.0,"body_mass_g":3725.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":41.0,"bill_depth_mm":20.0,"flipper_length_mm":203.0,"body_mass_g":4725.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.7,"bill_depth_mm":16.0,"flipper_length_mm":183.0,"body_mass_g":3075.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.8,"bill_depth_mm":20.0,"flipper_length_mm":190.0,"body_mass_g":4250.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":37.9,"bill_depth_mm":18.6,"flipper_length_mm":193.0,"body_mass_g":2925.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":39.7,"bill_depth_mm":18.9,"flipper_length_mm":184.0,"body_mass_g":3550.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.6,"bill_depth_mm":17.2,"flipper_length_mm":199.0,"body_mass_g":3750.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.2,"bill_depth_mm":20.0,"flipper_length_mm":190.0,"body_mass_g":3900.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.1,"bill_depth_mm":17.0,"flipper_length_mm":181.0,"body_mass_g":3175.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":43.2,"bill_depth_mm":19.0,"flipper_length_mm":197.0,"body_mass_g":4775.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":38.1,"bill_depth_mm":16.5,"flipper_length_mm":198.0,"body_mass_g":3825.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":45.6,"bill_depth_mm":20.3,"flipper_length_mm":191.0,"body_mass_g":4600.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":39.7,"bill_depth_mm":17.7,"flipper_length_mm":193.0,"body_mass_g":3200.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":42.2,"bill_depth_mm":19.5,"flipper_length_mm":197.0,"body_mass_g":4275.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":39.6,"bill_depth_mm":20.7,"flipper_length_mm":191.0,"body_mass_g":3900.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Biscoe","bill_length_mm":42.7,"bill_depth_mm":18.3,"flipper_length_mm":196.0,"body_mass_g":4075.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.6,"bill_depth_mm":17.0,"flipper_length_mm":188.0,"body_mass_g":2900.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":37.3,"bill_depth_mm":20.5,"flipper_length_mm":199.0,"body_mass_g":3775.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":35.7,"bill_depth_mm":17.0,"flipper_length_mm":189.0,"body_mass_g":3350.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":41.1,"bill_depth_mm":18.6,"flipper_length_mm":189.0,"body_mass_g":3325.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":36.2,"bill_depth_mm":17.2,"flipper_length_mm":187.0,"body_mass_g":3150.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":37.7,"bill_depth_mm":19.8,"flipper_length_mm":198.0,"body_mass_g":3500.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":40.2,"bill_depth_mm":17.0,"flipper_length_mm":176.0,"body_mass_g":3450.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":41.4,"bill_depth_mm":18.5,"flipper_length_mm":202.0,"body_mass_g":3875.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":35.2,"bill_depth_mm":15.9,"flipper_length_mm":186.0,"body_mass_g":3050.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":40.6,"bill_depth_mm":19.0,"flipper_length_mm":199.0,"body_mass_g":4000.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.8,"bill_depth_mm":17.6,"flipper_length_mm":191.0,"body_mass_g":3275.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":41.5,"bill_depth_mm":18.3,"flipper_length_mm":195.0,"body_mass_g":4300.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":39.0,"bill_depth_mm":17.1,"flipper_length_mm":191.0,"body_mass_g":3050.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":44.1,"bill_depth_mm":18.0,"flipper_length_mm":210.0,"body_mass_g":4000.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":38.5,"bill_depth_mm":17.9,"flipper_length_mm":190.0,"body_mass_g":3325.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Torgersen","bill_length_mm":43.1,"bill_depth_mm":19.2,"flipper_length_mm":197.0,"body_mass_g":3500.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":36.8,"bill_depth_mm":18.5,"flipper_length_mm":193.0,"body_mass_g":3500.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":37.5,"bill_depth_mm":18.5,"flipper_length_mm":199.0,"body_mass_g":4475.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":38.1,"bill_depth_mm":17.6,"flipper_length_mm":187.0,"body_mass_g":3425.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":41.1,"bill_depth_mm":17.5,"flipper_length_mm":190.0,"body_mass_g":3900.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":35.6,"bill_depth_mm":17.5,"flipper_length_mm":191.0,"body_mass_g":3175.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":40.2,"bill_depth_mm":20.1,"flipper_length_mm":200.0,"body_mass_g":3975.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":37.0,"bill_depth_mm":16.5,"flipper_length_mm":185.0,"body_mass_g":3400.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":39.7,"bill_depth_mm":17.9,"flipper_length_mm":193.0,"body_mass_g":4250.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":40.2,"bill_depth_mm":17.1,"flipper_length_mm":193.0,"body_mass_g":3400.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":40.6,"bill_depth_mm":17.2,"flipper_length_mm":187.0,"body_mass_g":3475.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":32.1,"bill_depth_mm":15.5,"flipper_length_mm":188.0,"body_mass_g":3050.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":40.7,"bill_depth_mm":17.0,"flipper_length_mm":190.0,"body_mass_g":3725.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":37.3,"bill_depth_mm":16.8,"flipper_length_mm":192.0,"body_mass_g":3000.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":39.0,"bill_depth_mm":18.7,"flipper_length_mm":185.0,"body_mass_g":3650.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":39.2,"bill_depth_mm":18.6,"flipper_length_mm":190.0,"body_mass_g":4250.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":36.6,"bill_depth_mm":18.4,"flipper_length_mm":184.0,"body_mass_g":3475.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":36.0,"bill_depth_mm":17.8,"flipper_length_mm":195.0,"body_mass_g":3450.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":37.8,"bill_depth_mm":18.1,"flipper_length_mm":193.0,"body_mass_g":3750.0,"sex":"male","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":36.0,"bill_depth_mm":17.1,"flipper_length_mm":187.0,"body_mass_g":3700.0,"sex":"female","year":2009},
{"species":"Adelie","island":"Dream","bill_length_mm":41.5,"bill_depth_mm":18.5,"flipper_length_mm":201.0,"body_mass_g":4000.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.1,"bill_depth_mm":13.2,"flipper_length_mm":211.0,"body_mass_g":4500.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.0,"bill_depth_mm":16.3,"flipper_length_mm":230.0,"body_mass_g":5700.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.7,"bill_depth_mm":14.1,"flipper_length_mm":210.0,"body_mass_g":4450.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.0,"bill_depth_mm":15.2,"flipper_length_mm":218.0,"body_mass_g":5700.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.6,"bill_depth_mm":14.5,"flipper_length_mm":215.0,"body_mass_g":5400.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.5,"bill_depth_mm":13.5,"flipper_length_mm":210.0,"body_mass_g":4550.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.4,"bill_depth_mm":14.6,"flipper_length_mm":211.0,"body_mass_g":4800.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.7,"bill_depth_mm":15.3,"flipper_length_mm":219.0,"body_mass_g":5200.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.3,"bill_depth_mm":13.4,"flipper_length_mm":209.0,"body_mass_g":4400.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.8,"bill_depth_mm":15.4,"flipper_length_mm":215.0,"body_mass_g":5150.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":40.9,"bill_depth_mm":13.7,"flipper_length_mm":214.0,"body_mass_g":4650.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.0,"bill_depth_mm":16.1,"flipper_length_mm":216.0,"body_mass_g":5550.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.5,"bill_depth_mm":13.7,"flipper_length_mm":214.0,"body_mass_g":4650.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.4,"bill_depth_mm":14.6,"flipper_length_mm":213.0,"body_mass_g":5850.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.8,"bill_depth_mm":14.6,"flipper_length_mm":210.0,"body_mass_g":4200.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.3,"bill_depth_mm":15.7,"flipper_length_mm":217.0,"body_mass_g":5850.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":42.0,"bill_depth_mm":13.5,"flipper_length_mm":210.0,"body_mass_g":4150.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.2,"bill_depth_mm":15.2,"flipper_length_mm":221.0,"body_mass_g":6300.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.2,"bill_depth_mm":14.5,"flipper_length_mm":209.0,"body_mass_g":4800.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.7,"bill_depth_mm":15.1,"flipper_length_mm":222.0,"body_mass_g":5350.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.2,"bill_depth_mm":14.3,"flipper_length_mm":218.0,"body_mass_g":5700.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.1,"bill_depth_mm":14.5,"flipper_length_mm":215.0,"body_mass_g":5000.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.5,"bill_depth_mm":14.5,"flipper_length_mm":213.0,"body_mass_g":4400.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.3,"bill_depth_mm":15.8,"flipper_length_mm":215.0,"body_mass_g":5050.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":42.9,"bill_depth_mm":13.1,"flipper_length_mm":215.0,"body_mass_g":5000.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.1,"bill_depth_mm":15.1,"flipper_length_mm":215.0,"body_mass_g":5100.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.5,"bill_depth_mm":14.3,"flipper_length_mm":216.0,"body_mass_g":4100.0,"sex":null,"year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.8,"bill_depth_mm":15.0,"flipper_length_mm":215.0,"body_mass_g":5650.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.2,"bill_depth_mm":14.3,"flipper_length_mm":210.0,"body_mass_g":4600.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.0,"bill_depth_mm":15.3,"flipper_length_mm":220.0,"body_mass_g":5550.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.3,"bill_depth_mm":15.3,"flipper_length_mm":222.0,"body_mass_g":5250.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":42.8,"bill_depth_mm":14.2,"flipper_length_mm":209.0,"body_mass_g":4700.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.1,"bill_depth_mm":14.5,"flipper_length_mm":207.0,"body_mass_g":5050.0,"sex":"female","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":59.6,"bill_depth_mm":17.0,"flipper_length_mm":230.0,"body_mass_g":6050.0,"sex":"male","year":2007},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.1,"bill_depth_mm":14.8,"flipper_length_mm":220.0,"body_mass_g":5150.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.4,"bill_depth_mm":16.3,"flipper_length_mm":220.0,"body_mass_g":5400.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":42.6,"bill_depth_mm":13.7,"flipper_length_mm":213.0,"body_mass_g":4950.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.4,"bill_depth_mm":17.3,"flipper_length_mm":219.0,"body_mass_g":5250.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.0,"bill_depth_mm":13.6,"flipper_length_mm":208.0,"body_mass_g":4350.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.7,"bill_depth_mm":15.7,"flipper_length_mm":208.0,"body_mass_g":5350.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":42.7,"bill_depth_mm":13.7,"flipper_length_mm":208.0,"body_mass_g":3950.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.6,"bill_depth_mm":16.0,"flipper_length_mm":225.0,"body_mass_g":5700.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.3,"bill_depth_mm":13.7,"flipper_length_mm":210.0,"body_mass_g":4300.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.6,"bill_depth_mm":15.0,"flipper_length_mm":216.0,"body_mass_g":4750.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.5,"bill_depth_mm":15.9,"flipper_length_mm":222.0,"body_mass_g":5550.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.6,"bill_depth_mm":13.9,"flipper_length_mm":217.0,"body_mass_g":4900.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.5,"bill_depth_mm":13.9,"flipper_length_mm":210.0,"body_mass_g":4200.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.5,"bill_depth_mm":15.9,"flipper_length_mm":225.0,"body_mass_g":5400.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.9,"bill_depth_mm":13.3,"flipper_length_mm":213.0,"body_mass_g":5100.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.2,"bill_depth_mm":15.8,"flipper_length_mm":215.0,"body_mass_g":5300.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.6,"bill_depth_mm":14.2,"flipper_length_mm":210.0,"body_mass_g":4850.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.5,"bill_depth_mm":14.1,"flipper_length_mm":220.0,"body_mass_g":5300.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.1,"bill_depth_mm":14.4,"flipper_length_mm":210.0,"body_mass_g":4400.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.1,"bill_depth_mm":15.0,"flipper_length_mm":225.0,"body_mass_g":5000.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.5,"bill_depth_mm":14.4,"flipper_length_mm":217.0,"body_mass_g":4900.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.0,"bill_depth_mm":15.4,"flipper_length_mm":220.0,"body_mass_g":5050.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.8,"bill_depth_mm":13.9,"flipper_length_mm":208.0,"body_mass_g":4300.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.5,"bill_depth_mm":15.0,"flipper_length_mm":220.0,"body_mass_g":5000.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.2,"bill_depth_mm":14.5,"flipper_length_mm":208.0,"body_mass_g":4450.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.4,"bill_depth_mm":15.3,"flipper_length_mm":224.0,"body_mass_g":5550.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.3,"bill_depth_mm":13.8,"flipper_length_mm":208.0,"body_mass_g":4200.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.2,"bill_depth_mm":14.9,"flipper_length_mm":221.0,"body_mass_g":5300.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.7,"bill_depth_mm":13.9,"flipper_length_mm":214.0,"body_mass_g":4400.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":54.3,"bill_depth_mm":15.7,"flipper_length_mm":231.0,"body_mass_g":5650.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.8,"bill_depth_mm":14.2,"flipper_length_mm":219.0,"body_mass_g":4700.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.8,"bill_depth_mm":16.8,"flipper_length_mm":230.0,"body_mass_g":5700.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.2,"bill_depth_mm":14.4,"flipper_length_mm":214.0,"body_mass_g":4650.0,"sex":null,"year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.5,"bill_depth_mm":16.2,"flipper_length_mm":229.0,"body_mass_g":5800.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.5,"bill_depth_mm":14.2,"flipper_length_mm":220.0,"body_mass_g":4700.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.7,"bill_depth_mm":15.0,"flipper_length_mm":223.0,"body_mass_g":5550.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.7,"bill_depth_mm":15.0,"flipper_length_mm":216.0,"body_mass_g":4750.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.4,"bill_depth_mm":15.6,"flipper_length_mm":221.0,"body_mass_g":5000.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.2,"bill_depth_mm":15.6,"flipper_length_mm":221.0,"body_mass_g":5100.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.5,"bill_depth_mm":14.8,"flipper_length_mm":217.0,"body_mass_g":5200.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.4,"bill_depth_mm":15.0,"flipper_length_mm":216.0,"body_mass_g":4700.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.6,"bill_depth_mm":16.0,"flipper_length_mm":230.0,"body_mass_g":5800.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.5,"bill_depth_mm":14.2,"flipper_length_mm":209.0,"body_mass_g":4600.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":51.1,"bill_depth_mm":16.3,"flipper_length_mm":220.0,"body_mass_g":6000.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.2,"bill_depth_mm":13.8,"flipper_length_mm":215.0,"body_mass_g":4750.0,"sex":"female","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.2,"bill_depth_mm":16.4,"flipper_length_mm":223.0,"body_mass_g":5950.0,"sex":"male","year":2008},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.1,"bill_depth_mm":14.5,"flipper_length_mm":212.0,"body_mass_g":4625.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":52.5,"bill_depth_mm":15.6,"flipper_length_mm":221.0,"body_mass_g":5450.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.4,"bill_depth_mm":14.6,"flipper_length_mm":212.0,"body_mass_g":4725.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.0,"bill_depth_mm":15.9,"flipper_length_mm":224.0,"body_mass_g":5350.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.9,"bill_depth_mm":13.8,"flipper_length_mm":212.0,"body_mass_g":4750.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.8,"bill_depth_mm":17.3,"flipper_length_mm":228.0,"body_mass_g":5600.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.4,"bill_depth_mm":14.4,"flipper_length_mm":218.0,"body_mass_g":4600.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":51.3,"bill_depth_mm":14.2,"flipper_length_mm":218.0,"body_mass_g":5300.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.5,"bill_depth_mm":14.0,"flipper_length_mm":212.0,"body_mass_g":4875.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":52.1,"bill_depth_mm":17.0,"flipper_length_mm":230.0,"body_mass_g":5550.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.5,"bill_depth_mm":15.0,"flipper_length_mm":218.0,"body_mass_g":4950.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":52.2,"bill_depth_mm":17.1,"flipper_length_mm":228.0,"body_mass_g":5400.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.5,"bill_depth_mm":14.5,"flipper_length_mm":212.0,"body_mass_g":4750.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.5,"bill_depth_mm":16.1,"flipper_length_mm":224.0,"body_mass_g":5650.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.5,"bill_depth_mm":14.7,"flipper_length_mm":214.0,"body_mass_g":4850.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.8,"bill_depth_mm":15.7,"flipper_length_mm":226.0,"body_mass_g":5200.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.4,"bill_depth_mm":15.8,"flipper_length_mm":216.0,"body_mass_g":4925.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.9,"bill_depth_mm":14.6,"flipper_length_mm":222.0,"body_mass_g":4875.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.4,"bill_depth_mm":14.4,"flipper_length_mm":203.0,"body_mass_g":4625.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":51.1,"bill_depth_mm":16.5,"flipper_length_mm":225.0,"body_mass_g":5250.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.5,"bill_depth_mm":15.0,"flipper_length_mm":219.0,"body_mass_g":4850.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":55.9,"bill_depth_mm":17.0,"flipper_length_mm":228.0,"body_mass_g":5600.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.2,"bill_depth_mm":15.5,"flipper_length_mm":215.0,"body_mass_g":4975.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.1,"bill_depth_mm":15.0,"flipper_length_mm":228.0,"body_mass_g":5500.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.3,"bill_depth_mm":13.8,"flipper_length_mm":216.0,"body_mass_g":4725.0,"sex":null,"year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.8,"bill_depth_mm":16.1,"flipper_length_mm":215.0,"body_mass_g":5500.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":41.7,"bill_depth_mm":14.7,"flipper_length_mm":210.0,"body_mass_g":4700.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":53.4,"bill_depth_mm":15.8,"flipper_length_mm":219.0,"body_mass_g":5500.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.3,"bill_depth_mm":14.0,"flipper_length_mm":208.0,"body_mass_g":4575.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.1,"bill_depth_mm":15.1,"flipper_length_mm":209.0,"body_mass_g":5500.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.5,"bill_depth_mm":15.2,"flipper_length_mm":216.0,"body_mass_g":5000.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.8,"bill_depth_mm":15.9,"flipper_length_mm":229.0,"body_mass_g":5950.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":43.5,"bill_depth_mm":15.2,"flipper_length_mm":213.0,"body_mass_g":4650.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":51.5,"bill_depth_mm":16.3,"flipper_length_mm":230.0,"body_mass_g":5500.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.2,"bill_depth_mm":14.1,"flipper_length_mm":217.0,"body_mass_g":4375.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":55.1,"bill_depth_mm":16.0,"flipper_length_mm":230.0,"body_mass_g":5850.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":44.5,"bill_depth_mm":15.7,"flipper_length_mm":217.0,"body_mass_g":4875.0,"sex":null,"year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":48.8,"bill_depth_mm":16.2,"flipper_length_mm":222.0,"body_mass_g":6000.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":47.2,"bill_depth_mm":13.7,"flipper_length_mm":214.0,"body_mass_g":4925.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":null,"bill_depth_mm":null,"flipper_length_mm":null,"body_mass_g":null,"sex":null,"year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":46.8,"bill_depth_mm":14.3,"flipper_length_mm":215.0,"body_mass_g":4850.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":50.4,"bill_depth_mm":15.7,"flipper_length_mm":222.0,"body_mass_g":5750.0,"sex":"male","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":45.2,"bill_depth_mm":14.8,"flipper_length_mm":212.0,"body_mass_g":5200.0,"sex":"female","year":2009},
{"species":"Gentoo","island":"Biscoe","bill_length_mm":49.9,"bill_depth_mm":16.1,"flipper_length_mm":213.0,"body_mass_g":5400.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.5,"bill_depth_mm":17.9,"flipper_length_mm":192.0,"body_mass_g":3500.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.0,"bill_depth_mm":19.5,"flipper_length_mm":196.0,"body_mass_g":3900.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.3,"bill_depth_mm":19.2,"flipper_length_mm":193.0,"body_mass_g":3650.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.4,"bill_depth_mm":18.7,"flipper_length_mm":188.0,"body_mass_g":3525.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.7,"bill_depth_mm":19.8,"flipper_length_mm":197.0,"body_mass_g":3725.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.2,"bill_depth_mm":17.8,"flipper_length_mm":198.0,"body_mass_g":3950.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.1,"bill_depth_mm":18.2,"flipper_length_mm":178.0,"body_mass_g":3250.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.3,"bill_depth_mm":18.2,"flipper_length_mm":197.0,"body_mass_g":3750.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.0,"bill_depth_mm":18.9,"flipper_length_mm":195.0,"body_mass_g":4150.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.3,"bill_depth_mm":19.9,"flipper_length_mm":198.0,"body_mass_g":3700.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.6,"bill_depth_mm":17.8,"flipper_length_mm":193.0,"body_mass_g":3800.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.7,"bill_depth_mm":20.3,"flipper_length_mm":194.0,"body_mass_g":3775.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":47.0,"bill_depth_mm":17.3,"flipper_length_mm":185.0,"body_mass_g":3700.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.0,"bill_depth_mm":18.1,"flipper_length_mm":201.0,"body_mass_g":4050.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.9,"bill_depth_mm":17.1,"flipper_length_mm":190.0,"body_mass_g":3575.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.5,"bill_depth_mm":19.6,"flipper_length_mm":201.0,"body_mass_g":4050.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.3,"bill_depth_mm":20.0,"flipper_length_mm":197.0,"body_mass_g":3300.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":58.0,"bill_depth_mm":17.8,"flipper_length_mm":181.0,"body_mass_g":3700.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.4,"bill_depth_mm":18.6,"flipper_length_mm":190.0,"body_mass_g":3450.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.2,"bill_depth_mm":18.2,"flipper_length_mm":195.0,"body_mass_g":4400.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":42.4,"bill_depth_mm":17.3,"flipper_length_mm":181.0,"body_mass_g":3600.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":48.5,"bill_depth_mm":17.5,"flipper_length_mm":191.0,"body_mass_g":3400.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":43.2,"bill_depth_mm":16.6,"flipper_length_mm":187.0,"body_mass_g":2900.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.6,"bill_depth_mm":19.4,"flipper_length_mm":193.0,"body_mass_g":3800.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.7,"bill_depth_mm":17.9,"flipper_length_mm":195.0,"body_mass_g":3300.0,"sex":"female","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.0,"bill_depth_mm":19.0,"flipper_length_mm":197.0,"body_mass_g":4150.0,"sex":"male","year":2007},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.5,"bill_depth_mm":18.4,"flipper_length_mm":200.0,"body_mass_g":3400.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.5,"bill_depth_mm":19.0,"flipper_length_mm":200.0,"body_mass_g":3800.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.4,"bill_depth_mm":17.8,"flipper_length_mm":191.0,"body_mass_g":3700.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.8,"bill_depth_mm":20.0,"flipper_length_mm":205.0,"body_mass_g":4550.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":40.9,"bill_depth_mm":16.6,"flipper_length_mm":187.0,"body_mass_g":3200.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":54.2,"bill_depth_mm":20.8,"flipper_length_mm":201.0,"body_mass_g":4300.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":42.5,"bill_depth_mm":16.7,"flipper_length_mm":187.0,"body_mass_g":3350.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.0,"bill_depth_mm":18.8,"flipper_length_mm":203.0,"body_mass_g":4100.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.7,"bill_depth_mm":18.6,"flipper_length_mm":195.0,"body_mass_g":3600.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":47.5,"bill_depth_mm":16.8,"flipper_length_mm":199.0,"body_mass_g":3900.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":47.6,"bill_depth_mm":18.3,"flipper_length_mm":195.0,"body_mass_g":3850.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.0,"bill_depth_mm":20.7,"flipper_length_mm":210.0,"body_mass_g":4800.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.9,"bill_depth_mm":16.6,"flipper_length_mm":192.0,"body_mass_g":2700.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":53.5,"bill_depth_mm":19.9,"flipper_length_mm":205.0,"body_mass_g":4500.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.0,"bill_depth_mm":19.5,"flipper_length_mm":210.0,"body_mass_g":3950.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.2,"bill_depth_mm":17.5,"flipper_length_mm":187.0,"body_mass_g":3650.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.9,"bill_depth_mm":19.1,"flipper_length_mm":196.0,"body_mass_g":3550.0,"sex":"male","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.5,"bill_depth_mm":17.0,"flipper_length_mm":196.0,"body_mass_g":3500.0,"sex":"female","year":2008},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.9,"bill_depth_mm":17.9,"flipper_length_mm":196.0,"body_mass_g":3675.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.8,"bill_depth_mm":18.5,"flipper_length_mm":201.0,"body_mass_g":4450.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.1,"bill_depth_mm":17.9,"flipper_length_mm":190.0,"body_mass_g":3400.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.0,"bill_depth_mm":19.6,"flipper_length_mm":212.0,"body_mass_g":4300.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.5,"bill_depth_mm":18.7,"flipper_length_mm":187.0,"body_mass_g":3250.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.8,"bill_depth_mm":17.3,"flipper_length_mm":198.0,"body_mass_g":3675.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":48.1,"bill_depth_mm":16.4,"flipper_length_mm":199.0,"body_mass_g":3325.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.4,"bill_depth_mm":19.0,"flipper_length_mm":201.0,"body_mass_g":3950.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.7,"bill_depth_mm":17.3,"flipper_length_mm":193.0,"body_mass_g":3600.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.7,"bill_depth_mm":19.7,"flipper_length_mm":203.0,"body_mass_g":4050.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":42.5,"bill_depth_mm":17.3,"flipper_length_mm":187.0,"body_mass_g":3350.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":52.2,"bill_depth_mm":18.8,"flipper_length_mm":197.0,"body_mass_g":3450.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.2,"bill_depth_mm":16.6,"flipper_length_mm":191.0,"body_mass_g":3250.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.3,"bill_depth_mm":19.9,"flipper_length_mm":203.0,"body_mass_g":4050.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.2,"bill_depth_mm":18.8,"flipper_length_mm":202.0,"body_mass_g":3800.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.6,"bill_depth_mm":19.4,"flipper_length_mm":194.0,"body_mass_g":3525.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":51.9,"bill_depth_mm":19.5,"flipper_length_mm":206.0,"body_mass_g":3950.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":46.8,"bill_depth_mm":16.5,"flipper_length_mm":189.0,"body_mass_g":3650.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":45.7,"bill_depth_mm":17.0,"flipper_length_mm":195.0,"body_mass_g":3650.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":55.8,"bill_depth_mm":19.8,"flipper_length_mm":207.0,"body_mass_g":4000.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":43.5,"bill_depth_mm":18.1,"flipper_length_mm":202.0,"body_mass_g":3400.0,"sex":"female","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":49.6,"bill_depth_mm":18.2,"flipper_length_mm":193.0,"body_mass_g":3775.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.8,"bill_depth_mm":19.0,"flipper_length_mm":210.0,"body_mass_g":4100.0,"sex":"male","year":2009},
{"species":"Chinstrap","island":"Dream","bill_length_mm":50.2,"bill_depth_mm":18.7,"flipper_length_mm":198.0,"body_mass_g":3775.0,"sex":"female","year":2009}]
`,"seattle-weather.csv":`date,precipitation,temp_max,temp_min,wind,weather
2012/01/01,0.0,12.8,5.0,4.7,drizzle
2012/01/02,10.9,10.6,2.8,4.5,rain
2012/01/03,0.8,11.7,7.2,2.3,rain
2012/01/04,20.3,12.2,5.6,4.7,rain
2012/01/05,1.3,8.9,2.8,6.1,rain
2012/01/06,2.5,4.4,2.2,2.2,rain
2012/01/07,0.0,7.2,2.8,2.3,rain
2012/01/08,0.0,10.0,2.8,2.0,sun
2012/01/09,4.3,9.4,5.0,3.4,rain
2012/01/10,1.0,6.1,0.6,3.4,rain
2012/01/11,0.0,6.1,-1.1,5.1,sun
2012/01/12,0.0,6.1,-1.7,1.9,sun
2012/01/13,0.0,5.0,-2.8,1.3,sun
2012/01/14,4.1,4.4,0.6,5.3,snow
2012/01/15,5.3,1.1,-3.3,3.2,snow
2012/01/16,2.5,1.7,-2.8,5.0,snow
2012/01/17,8.1,3.3,0.0,5.6,snow
2012/01/18,19.8,0.0,-2.8,5.0,snow
2012/01/19,15.2,-1.1,-2.8,1.6,snow
2012/01/20,13.5,7.2,-1.1,2.3,snow
2012/01/21,3.0,8.3,3.3,8.2,rain
2012/01/22,6.1,6.7,2.2,4.8,rain
2012/01/23,0.0,8.3,1.1,3.6,rain
2012/01/24,8.6,10.0,2.2,5.1,rain
2012/01/25,8.1,8.9,4.4,5.4,rain
2012/01/26,4.8,8.9,1.1,4.8,rain
2012/01/27,0.0,6.7,-2.2,1.4,drizzle
2012/01/28,0.0,6.7,0.6,2.2,rain
2012/01/29,27.7,9.4,3.9,4.5,rain
2012/01/30,3.6,8.3,6.1,5.1,rain
2012/01/31,1.8,9.4,6.1,3.9,rain
2012/02/01,13.5,8.9,3.3,2.7,rain
2012/02/02,0.0,8.3,1.7,2.6,sun
2012/02/03,0.0,14.4,2.2,5.3,sun
2012/02/04,0.0,15.6,5.0,4.3,sun
2012/02/05,0.0,13.9,1.7,2.9,sun
2012/02/06,0.0,16.1,1.7,5.0,sun
2012/02/07,0.3,15.6,7.8,5.3,rain
2012/02/08,2.8,10.0,5.0,2.7,rain
2012/02/09,2.5,11.1,7.8,2.4,rain
2012/02/10,2.5,12.8,6.7,3.0,rain
2012/02/11,0.8,8.9,5.6,3.4,rain
2012/02/12,1.0,8.3,5.0,1.3,rain
2012/02/13,11.4,7.2,4.4,1.4,rain
2012/02/14,2.5,6.7,1.1,3.1,rain
2012/02/15,0.0,7.2,0.6,1.8,drizzle
2012/02/16,1.8,7.2,3.3,2.1,rain
2012/02/17,17.3,10.0,4.4,3.4,rain
2012/02/18,6.4,6.7,3.9,8.1,rain
2012/02/19,0.0,6.7,2.2,4.7,sun
2012/02/20,3.0,7.8,1.7,2.9,rain
2012/02/21,0.8,10.0,7.8,7.5,rain
2012/02/22,8.6,10.0,2.8,5.9,rain
2012/02/23,0.0,8.3,2.8,3.9,sun
2012/02/24,11.4,6.7,4.4,3.5,rain
2012/02/25,0.0,7.2,2.8,6.4,rain
2012/02/26,1.3,5.0,-1.1,3.4,snow
2012/02/27,0.0,6.7,-2.2,3.0,sun
2012/02/28,3.6,6.7,-0.6,4.2,snow
2012/02/29,0.8,5.0,1.1,7.0,snow
2012/03/01,0.0,6.1,1.1,3.1,sun
2012/03/02,2.0,6.7,3.9,5.1,rain
2012/03/03,0.0,12.2,6.7,7.0,sun
2012/03/04,0.0,10.6,6.7,5.6,rain
2012/03/05,6.9,7.8,1.1,6.2,rain
2012/03/06,0.5,6.7,0.0,2.7,snow
2012/03/07,0.0,8.9,-1.7,2.7,sun
2012/03/08,0.0,15.6,0.6,2.5,sun
2012/03/09,3.6,9.4,5.0,2.8,rain
2012/03/10,10.4,7.2,6.1,3.4,rain
2012/03/11,13.7,6.7,2.8,5.8,rain
2012/03/12,19.3,8.3,0.6,6.2,snow
2012/03/13,9.4,5.6,0.6,5.3,snow
2012/03/14,8.6,7.8,1.1,4.7,rain
2012/03/15,23.9,11.1,5.6,5.8,snow
2012/03/16,8.4,8.9,3.9,5.1,rain
2012/03/17,9.4,10.0,0.6,3.8,snow
2012/03/18,3.6,5.0,-0.6,2.7,rain
2012/03/19,2.0,7.2,-1.1,3.0,rain
2012/03/20,3.6,7.8,2.2,6.4,rain
2012/03/21,1.3,8.9,1.1,2.5,rain
2012/03/22,4.1,10.0,1.7,2.1,rain
2012/03/23,0.0,12.2,0.6,2.8,sun
2012/03/24,0.0,15.0,3.3,5.2,sun
2012/03/25,0.0,13.3,2.2,2.7,rain
2012/03/26,0.0,12.8,6.1,4.3,drizzle
2012/03/27,4.8,14.4,6.7,3.8,rain
2012/03/28,1.3,10.6,7.2,5.9,rain
2012/03/29,27.4,10.0,6.1,4.4,rain
2012/03/30,5.6,9.4,5.0,4.7,rain
2012/03/31,13.2,10.0,2.8,3.4,rain
2012/04/01,1.5,8.9,4.4,6.8,rain
2012/04/02,0.0,16.7,4.4,3.1,sun
2012/04/03,1.5,11.7,3.3,3.1,rain
2012/04/04,0.0,10.6,2.8,2.1,sun
2012/04/05,4.6,9.4,2.8,1.8,snow
2012/04/06,0.3,11.1,3.3,2.6,rain
2012/04/07,0.0,16.1,1.7,4.3,sun
2012/04/08,0.0,21.1,7.2,4.1,sun
2012/04/09,0.0,20.0,6.1,2.1,sun
2012/04/10,0.0,17.8,8.9,3.2,rain
2012/04/11,2.3,11.1,7.2,2.6,rain
2012/04/12,0.5,13.9,5.6,2.6,rain
2012/04/13,0.0,15.0,3.9,4.0,drizzle
2012/04/14,0.0,15.6,3.3,3.0,sun
2012/04/15,0.0,16.1,7.2,2.9,rain
2012/04/16,8.1,13.3,6.7,5.8,rain
2012/04/17,1.8,10.0,4.4,2.0,rain
2012/04/18,1.8,13.3,7.2,3.9,rain
2012/04/19,10.9,13.9,5.0,2.6,rain
2012/04/20,6.6,13.3,6.7,2.7,rain
2012/04/21,0.0,20.0,4.4,2.3,sun
2012/04/22,0.0,23.3,8.3,2.6,rain
2012/04/23,0.0,21.7,8.9,3.5,sun
2012/04/24,4.3,13.9,10.0,2.8,rain
2012/04/25,10.7,16.7,8.9,2.6,rain
2012/04/26,3.8,13.9,6.7,5.2,rain
2012/04/27,0.8,13.3,6.1,4.8,rain
2012/04/28,0.0,16.1,8.3,2.5,drizzle
2012/04/29,4.3,15.6,8.9,1.6,rain
2012/04/30,4.3,12.8,7.2,8.0,rain
2012/05/01,0.5,11.7,6.1,6.4,rain
2012/05/02,0.5,13.3,5.6,2.5,rain
2012/05/03,18.5,11.1,7.2,3.4,rain
2012/05/04,1.8,12.2,6.1,4.6,rain
2012/05/05,0.0,13.3,5.0,2.3,sun
2012/05/06,0.0,17.8,5.0,2.4,sun
2012/05/07,0.0,23.9,6.1,2.2,sun
2012/05/08,0.0,18.3,9.4,3.0,sun
2012/05/09,0.0,13.3,6.7,3.9,rain
2012/05/10,0.0,14.4,3.9,3.0,sun
2012/05/11,0.0,18.3,4.4,4.3,sun
2012/05/12,0.0,24.4,6.7,3.4,sun
2012/05/13,0.0,25.6,9.4,4.2,sun
2012/05/14,0.0,26.7,12.8,3.8,sun
2012/05/15,0.0,24.4,9.4,4.1,drizzle
2012/05/16,0.0,19.4,9.4,3.5,sun
2012/05/17,0.0,17.8,6.7,2.9,rain
2012/05/18,0.0,15.6,7.8,3.1,rain
2012/05/19,0.0,19.4,7.2,1.5,sun
2012/05/20,6.4,14.4,11.7,1.3,rain
2012/05/21,14.0,16.7,10.0,4.0,rain
2012/05/22,6.1,12.8,8.9,4.8,rain
2012/05/23,0.3,14.4,8.9,6.3,rain
2012/05/24,0.0,17.2,8.9,3.3,rain
2012/05/25,0.0,22.2,8.9,3.1,rain
2012/05/26,0.0,22.2,8.9,3.6,sun
2012/05/27,0.0,17.2,11.7,3.7,sun
2012/05/28,0.0,16.7,10.0,3.4,rain
2012/05/29,0.0,16.1,7.8,1.8,sun
2012/05/30,0.3,18.9,11.1,1.5,rain
2012/05/31,3.8,17.8,12.2,2.7,rain
2012/06/01,6.6,20.0,12.8,3.7,rain
2012/06/02,0.3,18.9,10.6,3.7,rain
2012/06/03,0.0,17.2,9.4,2.9,sun
2012/06/04,1.3,12.8,8.9,3.1,rain
2012/06/05,16.0,13.3,8.3,3.3,rain
2012/06/06,0.0,16.1,6.1,3.4,sun
2012/06/07,16.5,16.1,8.9,3.5,rain
2012/06/08,1.5,15.0,8.3,3.0,rain
2012/06/09,0.0,17.2,8.3,4.7,rain
2012/06/10,0.0,18.9,10.0,2.9,sun
2012/06/11,0.0,23.3,10.0,1.8,rain
2012/06/12,0.8,18.3,12.8,3.9,rain
2012/06/13,0.0,16.1,11.1,4.3,sun
2012/06/14,0.0,17.2,10.0,2.7,sun
2012/06/15,0.0,22.2,9.4,1.7,sun
2012/06/16,0.0,21.1,15.0,4.1,rain
2012/06/17,0.0,18.9,11.7,6.4,sun
2012/06/18,3.0,17.2,10.0,3.8,rain
2012/06/19,1.0,19.4,10.0,3.0,rain
2012/06/20,0.0,24.4,10.0,3.0,sun
2012/06/21,0.0,23.9,11.7,2.1,sun
2012/06/22,15.7,13.9,11.7,1.9,rain
2012/06/23,8.6,15.6,9.4,2.5,rain
2012/06/24,0.0,19.4,9.4,2.0,drizzle
2012/06/25,0.5,19.4,11.1,3.1,rain
2012/06/26,0.0,18.3,10.6,3.4,rain
2012/06/27,0.0,22.8,8.9,1.8,sun
2012/06/28,0.0,22.2,11.7,2.5,rain
2012/06/29,0.3,21.7,15.0,1.9,rain
2012/06/30,3.0,20.0,13.3,2.4,rain
2012/07/01,0.0,20.0,12.2,2.3,rain
2012/07/02,2.0,18.9,11.7,2.1,rain
2012/07/03,5.8,18.3,10.6,6.0,rain
2012/07/04,0.0,20.6,9.4,3.8,sun
2012/07/05,0.0,24.4,10.6,3.1,drizzle
2012/07/06,0.0,25.0,11.1,2.1,sun
2012/07/07,0.0,26.7,12.8,3.8,sun
2012/07/08,0.0,28.3,14.4,2.8,rain
2012/07/09,1.5,25.0,12.8,2.0,rain
2012/07/10,0.0,23.9,11.1,2.3,drizzle
2012/07/11,0.0,27.8,13.3,2.9,fog
2012/07/12,0.0,25.6,13.3,2.7,drizzle
2012/07/13,0.5,23.3,13.9,2.2,rain
2012/07/14,0.0,25.0,15.0,2.2,rain
2012/07/15,0.0,18.9,13.3,3.8,rain
2012/07/16,0.3,26.1,13.3,2.5,rain
2012/07/17,0.0,21.7,15.0,2.6,sun
2012/07/18,0.0,21.1,14.4,2.9,sun
2012/07/19,0.0,25.0,14.4,2.2,sun
2012/07/20,15.2,19.4,13.9,4.0,rain
2012/07/21,0.0,23.9,13.9,2.3,sun
2012/07/22,1.0,20.6,12.2,3.9,rain
2012/07/23,0.0,18.9,11.1,3.3,rain
2012/07/24,0.0,23.3,12.2,4.3,sun
2012/07/25,0.0,26.7,12.8,2.6,sun
2012/07/26,0.0,25.6,12.8,2.2,drizzle
2012/07/27,0.0,18.9,13.9,2.8,drizzle
2012/07/28,0.0,22.2,13.3,1.7,drizzle
2012/07/29,0.0,22.8,15.0,2.0,sun
2012/07/30,0.0,19.4,13.3,3.0,sun
2012/07/31,0.0,22.8,13.9,2.8,sun
2012/08/01,0.0,23.9,13.3,2.2,drizzle
2012/08/02,0.0,23.3,12.2,2.5,sun
2012/08/03,0.0,27.2,12.8,3.9,sun
2012/08/04,0.0,33.9,16.7,3.7,sun
2012/08/05,0.0,33.9,17.8,1.9,sun
2012/08/06,0.0,28.3,15.6,2.5,rain
2012/08/07,0.0,21.1,15.0,2.6,drizzle
2012/08/08,0.0,22.2,15.0,3.1,sun
2012/08/09,0.0,24.4,14.4,3.8,drizzle
2012/08/10,0.0,25.6,12.2,2.3,sun
2012/08/11,0.0,28.3,13.3,2.5,sun
2012/08/12,0.0,30.6,15.0,3.0,sun
2012/08/13,0.0,30.6,15.0,2.8,sun
2012/08/14,0.0,28.9,13.9,2.8,sun
2012/08/15,0.0,31.1,16.7,4.7,sun
2012/08/16,0.0,34.4,18.3,2.8,sun
2012/08/17,0.0,32.8,16.1,1.8,sun
2012/08/18,0.0,21.7,14.4,3.0,drizzle
2012/08/19,0.0,23.3,15.0,2.7,drizzle
2012/08/20,0.0,25.6,15.0,1.9,sun
2012/08/21,0.0,23.3,13.3,3.0,rain
2012/08/22,0.0,22.2,13.3,2.3,sun
2012/08/23,0.0,21.1,13.9,3.8,sun
2012/08/24,0.0,22.2,10.0,3.3,sun
2012/08/25,0.0,26.1,11.7,3.2,sun
2012/08/26,0.0,21.1,12.2,3.4,sun
2012/08/27,0.0,23.9,13.3,1.8,sun
2012/08/28,0.0,22.8,12.2,3.2,sun
2012/08/29,0.0,22.8,13.3,2.4,sun
2012/08/30,0.0,22.8,12.8,1.9,sun
2012/08/31,0.0,22.2,10.6,2.9,sun
2012/09/01,0.0,21.7,10.6,2.1,sun
2012/09/02,0.0,21.1,10.0,2.0,sun
2012/09/03,0.0,22.8,12.8,3.3,sun
2012/09/04,0.0,24.4,11.1,3.1,sun
2012/09/05,0.0,26.1,11.7,2.6,sun
2012/09/06,0.0,28.3,14.4,4.2,sun
2012/09/07,0.0,32.2,13.3,3.1,sun
2012/09/08,0.0,25.0,13.3,3.0,sun
2012/09/09,0.3,18.9,13.9,5.0,rain
2012/09/10,0.3,20.0,11.7,3.9,rain
2012/09/11,0.0,20.0,8.9,4.2,sun
2012/09/12,0.0,22.2,10.0,5.6,sun
2012/09/13,0.0,27.8,11.7,3.6,sun
2012/09/14,0.0,26.1,11.1,1.5,sun
2012/09/15,0.0,22.2,11.1,1.9,sun
2012/09/16,0.0,24.4,9.4,2.3,sun
2012/09/17,0.0,27.8,11.7,2.2,fog
2012/09/18,0.0,27.8,11.7,1.4,sun
2012/09/19,0.0,23.9,11.7,1.9,drizzle
2012/09/20,0.0,19.4,10.0,2.5,drizzle
2012/09/21,0.0,16.1,12.8,2.1,drizzle
2012/09/22,0.3,19.4,11.7,1.1,rain
2012/09/23,0.0,19.4,10.0,1.4,fog
2012/09/24,0.0,21.1,10.0,1.8,fog
2012/09/25,0.0,19.4,11.1,1.7,sun
2012/09/26,0.0,19.4,9.4,1.7,drizzle
2012/09/27,0.0,22.8,10.0,1.7,drizzle
2012/09/28,0.0,25.0,12.2,1.1,rain
2012/09/29,0.0,20.6,12.2,4.3,sun
2012/09/30,0.0,21.1,7.8,3.1,sun
2012/10/01,0.0,23.3,8.9,3.0,sun
2012/10/02,0.0,17.8,10.0,4.1,sun
2012/10/03,0.0,18.9,7.8,7.3,sun
2012/10/04,0.0,18.9,8.3,6.5,sun
2012/10/05,0.0,21.7,8.9,5.7,sun
2012/10/06,0.0,23.9,7.8,5.1,sun
2012/10/07,0.0,23.9,7.8,1.3,sun
2012/10/08,0.0,21.1,7.8,1.9,sun
2012/10/09,0.0,16.1,8.9,1.6,drizzle
2012/10/10,0.0,12.2,8.3,1.4,drizzle
2012/10/11,0.0,13.9,7.2,1.3,drizzle
2012/10/12,2.0,13.9,8.9,4.6,rain
2012/10/13,4.8,15.6,12.2,3.9,rain
2012/10/14,16.5,17.8,13.3,3.4,rain
2012/10/15,7.9,17.2,11.1,4.6,rain
2012/10/16,0.0,16.1,8.3,5.5,sun
2012/10/17,0.0,14.4,6.1,1.6,sun
2012/10/18,20.8,17.8,6.7,2.0,rain
2012/10/19,4.8,15.0,9.4,5.3,rain
2012/10/20,0.5,11.1,6.1,5.7,rain
2012/10/21,6.4,11.7,4.4,2.7,rain
2012/10/22,8.9,7.8,3.3,2.6,rain
2012/10/23,0.0,11.1,5.6,3.0,rain
2012/10/24,7.1,11.7,6.1,2.1,rain
2012/10/25,0.0,11.7,6.7,1.5,sun
2012/10/26,1.5,11.1,7.2,2.5,rain
2012/10/27,23.1,14.4,9.4,5.1,rain
2012/10/28,6.1,14.4,10.0,3.8,rain
2012/10/29,10.9,15.6,10.0,4.9,rain
2012/10/30,34.5,15.0,12.2,2.8,rain
2012/10/31,14.5,15.6,11.1,2.7,rain
2012/11/01,9.7,15.0,10.6,3.0,rain
2012/11/02,5.6,15.0,10.6,1.0,rain
2012/11/03,0.5,15.6,11.1,3.6,rain
2012/11/04,8.1,17.8,12.8,3.8,rain
2012/11/05,0.8,15.0,7.8,4.0,rain
2012/11/06,0.3,12.8,6.7,3.5,rain
2012/11/07,0.0,12.2,3.9,3.4,rain
2012/11/08,0.0,10.0,1.1,3.4,rain
2012/11/09,0.0,8.9,1.1,2.0,rain
2012/11/10,0.0,7.8,-0.6,2.2,sun
2012/11/11,15.2,8.9,1.1,3.0,rain
2012/11/12,3.6,12.8,6.1,3.0,rain
2012/11/13,5.3,11.1,7.8,2.5,rain
2012/11/14,0.8,11.1,5.0,2.6,rain
2012/11/15,0.0,9.4,2.8,2.4,drizzle
2012/11/16,5.6,9.4,2.2,1.6,rain
2012/11/17,6.1,12.2,6.1,5.3,rain
2012/11/18,7.9,10.0,6.1,4.9,rain
2012/11/19,54.1,13.3,8.3,6.0,rain
2012/11/20,3.8,11.1,7.2,4.2,rain
2012/11/21,11.2,8.3,3.9,5.5,rain
2012/11/22,0.0,8.9,2.8,1.5,rain
2012/11/23,32.0,9.4,6.1,2.4,rain
2012/11/24,0.0,8.9,3.9,1.2,rain
2012/11/25,0.0,8.3,1.1,3.6,drizzle
2012/11/26,0.0,9.4,1.7,3.8,fog
2012/11/27,0.0,10.0,1.7,1.5,sun
2012/11/28,2.8,9.4,2.2,2.9,rain
2012/11/29,1.5,12.8,7.8,4.2,rain
2012/11/30,35.6,15.0,7.8,4.6,rain
2012/12/01,4.1,13.3,8.3,5.5,rain
2012/12/02,19.6,8.3,7.2,6.2,rain
2012/12/03,13.0,9.4,7.2,4.4,rain
2012/12/04,14.2,11.7,7.2,6.2,rain
2012/12/05,1.5,8.9,4.4,5.0,rain
2012/12/06,1.5,7.2,6.1,5.1,rain
2012/12/07,1.0,7.8,3.3,4.6,rain
2012/12/08,0.0,6.7,3.3,2.0,sun
2012/12/09,1.5,6.7,2.8,2.1,rain
2012/12/10,0.5,7.2,5.6,1.8,rain
2012/12/11,3.0,7.8,5.6,4.5,rain
2012/12/12,8.1,6.7,4.4,2.0,rain
2012/12/13,2.3,7.2,3.3,2.8,rain
2012/12/14,7.9,6.1,1.1,1.7,rain
2012/12/15,5.3,4.4,0.6,5.1,snow
2012/12/16,22.6,6.7,3.3,5.5,snow
2012/12/17,2.0,8.3,1.7,9.5,rain
2012/12/18,3.3,3.9,0.6,5.3,snow
2012/12/19,13.7,8.3,1.7,5.8,snow
2012/12/20,13.2,7.2,0.6,3.7,rain
2012/12/21,1.8,8.3,-1.7,1.7,rain
2012/12/22,3.3,8.3,3.9,3.5,rain
2012/12/23,6.6,7.2,3.3,2.5,rain
2012/12/24,0.3,5.6,2.8,2.8,rain
2012/12/25,13.5,5.6,2.8,4.2,snow
2012/12/26,4.6,6.7,3.3,4.9,rain
2012/12/27,4.1,7.8,3.3,3.2,rain
2012/12/28,0.0,8.3,3.9,1.7,rain
2012/12/29,1.5,5.0,3.3,1.7,rain
2012/12/30,0.0,4.4,0.0,1.8,drizzle
2012/12/31,0.0,3.3,-1.1,2.0,drizzle
2013/01/01,0.0,5.0,-2.8,2.7,sun
2013/01/02,0.0,6.1,-1.1,3.2,sun
2013/01/03,4.1,6.7,-1.7,3.0,rain
2013/01/04,2.5,10.0,2.2,2.8,rain
2013/01/05,3.0,6.7,4.4,3.1,rain
2013/01/06,2.0,7.2,2.8,3.0,rain
2013/01/07,2.3,10.0,4.4,7.3,rain
2013/01/08,16.3,11.7,5.6,6.3,rain
2013/01/09,38.4,10.0,1.7,5.1,rain
2013/01/10,0.3,3.3,-0.6,2.1,snow
2013/01/11,0.0,2.8,-2.8,1.9,drizzle
2013/01/12,0.0,2.8,-3.9,2.0,sun
2013/01/13,0.0,2.2,-4.4,1.5,sun
2013/01/14,0.0,3.3,-2.2,1.3,sun
2013/01/15,0.0,6.7,-0.6,2.3,sun
2013/01/16,0.0,6.1,-3.9,1.8,drizzle
2013/01/17,0.0,3.9,-2.8,1.0,drizzle
2013/01/18,0.0,3.3,-1.1,1.3,drizzle
2013/01/19,0.0,1.1,-0.6,1.9,drizzle
2013/01/20,0.0,3.3,-0.6,2.1,drizzle
2013/01/21,0.0,2.2,-1.7,1.1,drizzle
2013/01/22,0.0,3.3,-1.7,0.6,drizzle
2013/01/23,5.1,7.2,2.2,3.1,rain
2013/01/24,5.8,7.2,1.1,2.6,rain
2013/01/25,3.0,10.6,2.8,2.1,rain
2013/01/26,2.3,8.3,3.9,4.5,rain
2013/01/27,1.8,5.6,3.9,4.5,rain
2013/01/28,7.9,6.1,3.3,3.2,rain
2013/01/29,4.3,8.3,5.0,3.9,rain
2013/01/30,3.6,8.9,6.7,3.9,rain
2013/01/31,3.0,9.4,7.2,4.0,rain
2013/02/01,0.3,11.7,5.0,2.9,rain
2013/02/02,0.0,6.1,2.8,2.0,drizzle
2013/02/03,2.3,8.9,2.8,2.9,rain
2013/02/04,0.0,10.6,6.7,2.6,rain
2013/02/05,3.3,10.0,6.7,5.1,rain
2013/02/06,1.0,10.6,6.1,4.5,rain
2013/02/07,1.3,9.4,3.3,4.1,rain
2013/02/08,0.0,7.8,2.2,1.3,sun
2013/02/09,0.3,8.3,4.4,1.3,rain
2013/02/10,0.0,8.9,1.7,2.0,drizzle
2013/02/11,0.3,8.3,4.4,1.4,rain
2013/02/12,1.0,11.1,7.2,5.6,rain
2013/02/13,2.3,9.4,7.2,4.1,rain
2013/02/14,1.0,9.4,5.6,2.2,rain
2013/02/15,0.0,13.3,5.0,2.4,drizzle
2013/02/16,0.0,11.1,3.9,5.6,rain
2013/02/17,0.0,9.4,4.4,3.4,rain
2013/02/18,0.0,7.8,3.9,1.9,rain
2013/02/19,0.0,10.6,1.7,3.4,sun
2013/02/20,1.5,7.8,1.1,2.1,rain
2013/02/21,0.5,6.7,3.9,6.2,rain
2013/02/22,9.4,7.8,3.9,8.1,rain
2013/02/23,0.3,10.0,3.9,4.6,rain
2013/02/24,0.0,8.9,5.0,5.5,rain
2013/02/25,2.3,10.6,3.3,7.1,rain
2013/02/26,0.5,8.9,3.9,3.8,rain
2013/02/27,4.6,10.0,4.4,1.8,rain
2013/02/28,8.1,11.7,6.7,3.8,rain
2013/03/01,4.1,15.0,11.1,5.4,rain
2013/03/02,0.8,13.9,5.0,4.5,rain
2013/03/03,0.0,11.1,2.2,2.8,sun
2013/03/04,0.0,13.3,0.0,3.9,sun
2013/03/05,0.0,9.4,6.1,2.4,rain
2013/03/06,11.9,7.2,5.0,4.1,rain
2013/03/07,7.4,12.2,5.0,2.5,rain
2013/03/08,0.0,11.7,2.2,2.6,drizzle
2013/03/09,0.0,12.8,1.1,1.3,fog
2013/03/10,0.8,7.8,3.9,1.6,rain
2013/03/11,1.3,10.6,6.1,1.1,rain
2013/03/12,2.0,12.8,10.0,5.7,rain
2013/03/13,2.3,11.7,9.4,3.7,rain
2013/03/14,2.8,11.7,9.4,3.0,rain
2013/03/15,0.0,14.4,8.9,4.3,rain
2013/03/16,4.3,10.6,4.4,6.4,rain
2013/03/17,0.0,8.9,3.9,6.1,sun
2013/03/18,0.0,11.7,3.9,5.9,rain
2013/03/19,11.7,12.8,1.7,3.4,rain
2013/03/20,9.9,11.1,4.4,7.6,rain
2013/03/21,8.1,10.0,2.2,4.9,snow
2013/03/22,0.0,9.4,0.6,2.2,sun
2013/03/23,0.0,10.0,1.1,2.6,sun
2013/03/24,0.0,12.2,0.6,2.1,sun
2013/03/25,0.0,16.7,4.4,2.8,sun
2013/03/26,0.0,16.7,6.1,1.7,sun
2013/03/27,0.3,13.3,7.2,1.6,rain
2013/03/28,2.0,16.1,8.3,1.3,rain
2013/03/29,0.0,18.3,7.8,2.5,rain
2013/03/30,0.0,20.0,5.6,4.4,drizzle
2013/03/31,0.0,20.6,6.7,2.9,sun
2013/04/01,0.0,17.2,8.3,3.6,sun
2013/04/02,0.0,13.9,8.9,2.2,sun
2013/04/03,0.0,16.7,7.8,1.6,sun
2013/04/04,8.4,14.4,10.0,3.0,fog
2013/04/05,18.5,13.9,10.0,5.6,fog
2013/04/06,12.7,12.2,7.2,5.0,fog
2013/04/07,39.1,8.3,5.0,3.9,fog
2013/04/08,0.8,13.3,6.1,3.1,fog
2013/04/09,0.0,12.2,6.1,2.4,sun
2013/04/10,9.4,15.0,8.9,6.4,sun
2013/04/11,1.5,12.2,6.7,3.8,fog
2013/04/12,9.7,7.8,4.4,4.6,fog
2013/04/13,9.4,10.6,3.3,5.7,fog
2013/04/14,5.8,12.8,4.4,2.3,fog
2013/04/15,0.0,13.9,4.4,2.4,fog
2013/04/16,0.3,13.9,3.3,2.6,sun
2013/04/17,0.0,15.0,3.9,3.3,drizzle
2013/04/18,5.3,11.7,6.7,4.0,fog
2013/04/19,20.6,13.3,9.4,4.9,fog
2013/04/20,0.0,13.9,8.3,5.8,sun
2013/04/21,3.3,12.2,6.7,4.1,sun
2013/04/22,0.0,16.1,5.0,4.3,sun
2013/04/23,0.0,17.8,3.9,2.8,sun
2013/04/24,0.0,21.1,6.1,3.0,sun
2013/04/25,0.0,21.7,6.7,1.1,sun
2013/04/26,0.0,20.6,8.3,2.2,fog
2013/04/27,0.0,13.9,10.6,5.9,sun
2013/04/28,1.0,15.0,9.4,5.2,drizzle
2013/04/29,3.8,13.9,6.7,4.2,fog
2013/04/30,0.0,12.8,4.4,2.4,sun
2013/05/01,0.0,18.3,3.3,3.1,sun
2013/05/02,0.0,20.6,6.7,4.0,sun
2013/05/03,0.0,21.7,9.4,4.9,sun
2013/05/04,0.0,25.0,11.1,6.5,sun
2013/05/05,0.0,28.9,11.7,5.3,sun
2013/05/06,0.0,30.6,12.2,2.0,sun
2013/05/07,0.0,20.6,11.1,3.3,sun
2013/05/08,0.0,19.4,11.1,1.9,sun
2013/05/09,0.0,22.8,10.0,1.3,sun
2013/05/10,0.0,26.1,9.4,1.0,sun
2013/05/11,0.0,27.2,12.2,2.6,sun
2013/05/12,6.6,21.7,13.9,3.9,fog
2013/05/13,3.3,18.9,9.4,5.0,sun
2013/05/14,0.0,18.3,7.8,2.4,sun
2013/05/15,1.0,17.2,8.9,2.3,fog
2013/05/16,0.0,21.7,12.2,2.7,fog
2013/05/17,0.5,17.2,11.7,3.7,sun
2013/05/18,0.0,16.7,11.1,2.9,sun
2013/05/19,0.0,18.3,10.6,2.3,sun
2013/05/20,0.0,19.4,9.4,1.8,sun
2013/05/21,13.7,15.6,8.3,4.8,fog
2013/05/22,13.7,11.1,7.2,3.0,fog
2013/05/23,4.1,12.2,6.7,1.9,fog
2013/05/24,0.3,16.7,8.9,2.7,sun
2013/05/25,0.0,17.8,10.0,2.7,sun
2013/05/26,1.5,18.3,10.6,2.2,fog
2013/05/27,9.7,16.7,11.1,3.1,fog
2013/05/28,0.5,17.2,11.7,2.8,fog
2013/05/29,5.6,16.1,9.4,4.0,fog
2013/05/30,0.0,16.7,9.4,5.3,sun
2013/05/31,0.0,19.4,11.1,2.5,sun
2013/06/01,0.0,22.8,12.2,2.5,sun
2013/06/02,1.0,20.6,12.2,3.1,sun
2013/06/03,0.0,22.2,11.1,2.9,sun
2013/06/04,0.0,26.1,12.2,3.4,sun
2013/06/05,0.0,26.7,14.4,3.1,sun
2013/06/06,0.0,26.7,12.2,2.5,sun
2013/06/07,0.0,21.7,13.3,3.2,sun
2013/06/08,0.0,20.6,12.8,3.1,sun
2013/06/09,0.0,20.6,11.1,3.7,sun
2013/06/10,0.0,21.7,11.7,3.2,sun
2013/06/11,0.0,20.0,10.0,5.7,sun
2013/06/12,0.3,20.6,11.7,4.2,sun
2013/06/13,0.0,21.1,11.7,2.6,sun
2013/06/14,0.0,20.0,12.2,3.7,sun
2013/06/15,0.0,25.6,10.0,2.9,sun
2013/06/16,0.0,23.9,12.8,3.4,sun
2013/06/17,0.0,25.6,13.9,3.0,sun
2013/06/18,0.3,23.3,13.3,3.4,fog
2013/06/19,0.0,20.0,12.8,3.7,sun
2013/06/20,3.0,17.2,12.8,5.0,sun
2013/06/21,0.3,20.6,12.2,1.5,sun
2013/06/22,0.0,25.6,11.7,1.7,sun
2013/06/23,7.9,22.2,15.0,2.1,fog
2013/06/24,4.8,21.1,13.9,3.7,fog
2013/06/25,9.9,23.3,14.4,2.8,sun
2013/06/26,2.0,22.2,15.0,2.3,fog
2013/06/27,3.6,21.1,16.7,1.3,fog
2013/06/28,0.0,30.6,16.1,2.2,sun
2013/06/29,0.0,30.0,18.3,1.7,sun
2013/06/30,0.0,33.9,17.2,2.5,sun
2013/07/01,0.0,31.7,18.3,2.3,sun
2013/07/02,0.0,28.3,15.6,3.0,sun
2013/07/03,0.0,26.1,16.7,3.2,sun
2013/07/04,0.0,21.7,13.9,2.2,fog
2013/07/05,0.0,23.3,13.9,2.6,sun
2013/07/06,0.0,26.1,13.3,2.2,sun
2013/07/07,0.0,23.9,13.9,2.9,sun
2013/07/08,0.0,26.7,13.3,2.8,sun
2013/07/09,0.0,30.0,15.0,2.5,sun
2013/07/10,0.0,22.2,13.9,2.6,sun
2013/07/11,0.0,22.8,12.2,3.0,sun
2013/07/12,0.0,19.4,13.3,2.2,sun
2013/07/13,0.0,26.1,11.1,3.1,sun
2013/07/14,0.0,27.8,12.8,3.0,sun
2013/07/15,0.0,27.8,14.4,4.6,sun
2013/07/16,0.0,31.1,18.3,4.1,sun
2013/07/17,0.0,22.2,15.0,3.7,rain
2013/07/18,0.0,26.1,13.9,2.0,sun
2013/07/19,0.0,27.8,13.3,1.9,sun
2013/07/20,0.0,25.0,13.3,2.0,sun
2013/07/21,0.0,23.9,12.8,2.3,sun
2013/07/22,0.0,26.1,13.3,2.4,fog
2013/07/23,0.0,31.1,13.9,3.0,sun
2013/07/24,0.0,31.1,14.4,2.5,sun
2013/07/25,0.0,31.1,12.8,2.3,sun
2013/07/26,0.0,31.1,14.4,2.9,sun
2013/07/27,0.0,25.6,12.8,2.6,sun
2013/07/28,0.0,21.1,12.2,3.4,fog
2013/07/29,0.0,25.0,13.3,1.4,sun
2013/07/30,0.0,25.0,13.3,2.8,sun
2013/07/31,0.0,21.7,13.3,1.8,sun
2013/08/01,0.0,20.6,13.3,3.9,sun
2013/08/02,2.0,17.2,15.0,2.0,sun
2013/08/03,0.0,25.0,15.6,2.4,fog
2013/08/04,0.0,28.9,15.0,3.4,sun
2013/08/05,0.0,30.0,15.0,2.1,sun
2013/08/06,0.0,30.6,13.9,1.4,sun
2013/08/07,0.0,31.1,13.9,1.9,sun
2013/08/08,0.0,28.3,14.4,2.5,sun
2013/08/09,0.0,28.3,14.4,2.1,rain
2013/08/10,2.3,25.6,15.0,2.9,sun
2013/08/11,0.0,25.0,14.4,2.9,sun
2013/08/12,0.0,25.6,16.1,1.9,sun
2013/08/13,0.0,27.8,15.0,1.8,sun
2013/08/14,0.8,27.2,15.0,2.0,sun
2013/08/15,1.8,21.1,17.2,1.0,sun
2013/08/16,0.0,28.9,16.1,2.2,fog
2013/08/17,0.0,25.6,17.2,3.0,sun
2013/08/18,0.0,26.1,15.6,3.1,sun
2013/08/19,0.0,26.7,15.6,3.0,sun
2013/08/20,0.0,25.6,16.1,4.6,sun
2013/08/21,0.0,27.8,15.0,4.3,sun
2013/08/22,0.0,28.9,15.0,1.9,sun
2013/08/23,0.0,25.0,16.1,4.1,sun
2013/08/24,0.0,25.0,16.7,2.7,sun
2013/08/25,0.3,22.2,16.1,2.6,sun
2013/08/26,1.0,24.4,16.1,1.9,sun
2013/08/27,1.3,26.7,17.2,1.4,sun
2013/08/28,5.6,26.7,15.6,1.3,fog
2013/08/29,19.3,23.9,18.3,3.0,sun
2013/08/30,0.0,26.1,16.1,2.9,sun
2013/08/31,0.0,27.8,13.9,2.6,sun
2013/09/01,0.0,27.8,15.6,2.5,sun
2013/09/02,0.0,27.8,17.2,2.1,sun
2013/09/03,2.3,25.0,16.7,1.7,fog
2013/09/04,0.3,22.8,16.1,2.4,fog
2013/09/05,27.7,20.0,15.6,2.5,sun
2013/09/06,21.3,21.7,16.1,2.6,fog
2013/09/07,0.0,23.3,17.2,2.0,sun
2013/09/08,0.0,26.7,14.4,1.5,fog
2013/09/09,0.0,26.1,13.9,2.1,sun
2013/09/10,0.0,26.7,15.0,3.7,sun
2013/09/11,0.0,33.9,16.1,2.4,sun
2013/09/12,0.0,25.6,15.0,1.7,sun
2013/09/13,0.0,18.9,15.6,2.0,sun
2013/09/14,0.0,21.7,15.6,1.4,fog
2013/09/15,3.3,18.9,14.4,2.2,sun
2013/09/16,0.3,21.7,15.0,4.3,fog
2013/09/17,0.0,17.8,13.9,2.3,sun
2013/09/18,0.0,21.1,13.3,2.5,sun
2013/09/19,0.0,25.6,10.0,1.5,sun
2013/09/20,3.6,23.3,13.3,3.0,fog
2013/09/21,0.0,21.1,13.3,2.5,sun
2013/09/22,13.5,17.2,13.3,5.5,fog
2013/09/23,2.8,16.1,11.1,4.5,fog
2013/09/24,0.0,17.8,10.0,2.6,sun
2013/09/25,2.0,16.1,9.4,3.0,fog
2013/09/26,0.0,17.2,7.2,2.2,sun
2013/09/27,1.0,13.9,10.6,4.3,fog
2013/09/28,43.4,16.7,11.7,6.0,fog
2013/09/29,16.8,14.4,11.1,7.1,sun
2013/09/30,18.5,13.9,10.0,6.3,fog
2013/10/01,7.9,14.4,8.9,4.7,fog
2013/10/02,5.3,12.8,9.4,2.4,fog
2013/10/03,0.8,14.4,8.9,0.9,fog
2013/10/04,0.0,17.8,5.6,1.1,sun
2013/10/05,0.0,20.0,8.3,1.6,sun
2013/10/06,4.1,22.8,7.8,2.6,fog
2013/10/07,0.5,16.1,11.7,6.3,fog
2013/10/08,6.9,13.9,7.8,3.0,rain
2013/10/09,0.0,15.0,5.6,1.6,sun
2013/10/10,1.0,14.4,8.3,1.7,fog
2013/10/11,9.1,13.9,10.6,1.0,sun
2013/10/12,1.0,14.4,8.9,2.2,fog
2013/10/13,0.0,15.0,6.7,1.8,fog
2013/10/14,0.0,15.6,3.9,1.6,sun
2013/10/15,0.0,15.6,5.0,0.9,sun
2013/10/16,0.0,12.8,8.9,2.7,fog
2013/10/17,0.0,14.4,8.9,1.7,fog
2013/10/18,0.0,12.8,7.2,1.2,sun
2013/10/19,0.0,10.6,7.8,1.4,sun
2013/10/20,0.0,10.6,7.8,2.4,sun
2013/10/21,0.0,11.7,8.3,2.5,sun
2013/10/22,0.0,14.4,7.2,1.9,sun
2013/10/23,0.0,12.8,6.1,0.4,sun
2013/10/24,0.0,10.0,6.1,0.6,sun
2013/10/25,0.0,12.2,7.8,1.8,sun
2013/10/26,0.0,11.7,8.3,2.7,sun
2013/10/27,1.8,13.9,8.3,4.4,fog
2013/10/28,0.0,14.4,7.2,5.1,sun
2013/10/29,0.0,13.3,3.3,2.2,sun
2013/10/30,0.5,15.0,5.6,3.9,sun
2013/10/31,0.3,14.4,10.6,2.2,fog
2013/11/01,1.3,17.8,11.7,1.4,sun
2013/11/02,12.7,14.4,8.3,7.9,fog
2013/11/03,0.5,12.2,4.4,2.4,sun
2013/11/04,0.0,10.6,3.9,1.6,drizzle
2013/11/05,2.5,13.3,7.2,3.1,fog
2013/11/06,3.8,12.8,7.8,1.7,sun
2013/11/07,30.0,11.1,10.0,7.2,fog
2013/11/08,0.0,13.3,7.2,4.1,sun
2013/11/09,1.8,11.1,5.0,1.4,sun
2013/11/10,0.0,11.1,8.3,4.4,sun
2013/11/11,0.0,16.1,6.1,2.6,fog
2013/11/12,4.1,15.6,8.9,2.2,fog
2013/11/13,0.0,13.9,10.6,3.8,sun
2013/11/14,1.3,11.1,6.1,1.1,fog
2013/11/15,3.0,10.6,7.2,6.0,sun
2013/11/16,0.0,10.0,5.0,4.6,sun
2013/11/17,5.3,11.7,7.2,5.4,fog
2013/11/18,26.2,12.8,9.4,3.9,fog
2013/11/19,1.0,13.3,4.4,5.1,fog
2013/11/20,0.0,7.8,1.7,4.3,sun
2013/11/21,0.0,7.8,-0.5,3.6,sun
2013/11/22,0.0,9.4,0.0,4.6,sun
2013/11/23,0.0,11.1,1.1,2.6,sun
2013/11/24,0.0,11.7,0.6,0.9,fog
2013/11/25,0.0,12.2,2.2,0.5,sun
2013/11/26,0.0,12.2,2.8,1.0,sun
2013/11/27,0.0,14.4,5.6,1.3,sun
2013/11/28,0.0,11.7,3.3,0.7,sun
2013/11/29,0.5,9.4,5.0,2.1,fog
2013/11/30,2.3,11.1,7.2,3.9,fog
2013/12/01,3.0,13.3,7.8,8.8,fog
2013/12/02,4.6,7.8,1.7,3.5,sun
2013/12/03,0.0,5.0,-0.5,5.6,sun
2013/12/04,0.0,4.4,-2.1,1.6,sun
2013/12/05,0.0,1.1,-4.9,2.6,sun
2013/12/06,0.0,1.1,-4.3,4.7,sun
2013/12/07,0.0,0.0,-7.1,3.1,sun
2013/12/08,0.0,2.2,-6.6,2.2,sun
2013/12/09,0.0,1.1,-4.9,1.3,sun
2013/12/10,0.0,5.6,0.6,1.5,sun
2013/12/11,0.0,5.0,-1.6,0.8,sun
2013/12/12,6.9,5.6,-0.5,2.3,sun
2013/12/13,0.5,9.4,5.6,2.9,fog
2013/12/14,0.0,9.4,6.1,3.7,sun
2013/12/15,1.3,11.7,8.3,3.9,fog
2013/12/16,0.3,10.0,4.4,1.0,sun
2013/12/17,0.0,8.3,4.4,2.7,sun
2013/12/18,1.3,7.8,2.2,2.8,fog
2013/12/19,0.0,5.0,0.0,2.1,sun
2013/12/20,5.6,8.3,0.6,3.7,fog
2013/12/21,5.6,8.9,5.6,2.3,fog
2013/12/22,10.7,10.6,8.3,4.0,fog
2013/12/23,1.5,11.7,6.1,5.9,fog
2013/12/24,0.0,8.3,2.8,1.7,sun
2013/12/25,0.0,6.7,1.7,0.8,sun
2013/12/26,0.0,6.7,0.6,0.5,sun
2013/12/27,0.3,8.9,0.0,2.1,fog
2013/12/28,0.0,9.4,3.3,1.3,sun
2013/12/29,0.0,7.2,1.7,1.1,sun
2013/12/30,0.3,8.9,4.4,2.6,sun
2013/12/31,0.5,8.3,5.0,1.7,sun
2014/01/01,0.0,7.2,3.3,1.2,sun
2014/01/02,4.1,10.6,6.1,3.2,sun
2014/01/03,1.5,8.9,2.8,2.6,fog
2014/01/04,0.0,7.8,0.6,2.7,fog
2014/01/05,0.0,8.3,-0.5,3.7,sun
2014/01/06,0.3,7.8,-0.5,2.6,fog
2014/01/07,12.2,8.3,5.0,1.6,sun
2014/01/08,9.7,10.0,7.2,4.6,fog
2014/01/09,5.8,9.4,5.6,6.3,fog
2014/01/10,4.3,12.8,8.3,7.0,sun
2014/01/11,21.3,14.4,7.2,8.8,fog
2014/01/12,1.5,11.1,5.6,8.1,fog
2014/01/13,0.0,10.6,10.0,7.1,sun
2014/01/14,0.0,11.1,7.2,1.3,sun
2014/01/15,0.0,11.1,5.6,2.5,sun
2014/01/16,0.0,6.7,4.4,2.7,sun
2014/01/17,0.0,5.6,2.8,2.3,sun
2014/01/18,0.0,9.4,0.6,2.2,sun
2014/01/19,0.0,6.1,3.3,2.5,sun
2014/01/20,0.0,10.0,2.8,2.2,sun
2014/01/21,0.0,10.0,1.7,1.5,sun
2014/01/22,0.5,9.4,5.6,2.6,sun
2014/01/23,0.0,10.0,2.8,5.2,fog
2014/01/24,0.0,12.8,1.1,1.9,sun
2014/01/25,0.0,12.2,1.1,0.8,sun
2014/01/26,0.0,8.3,0.6,1.3,sun
2014/01/27,0.0,9.4,1.7,1.3,sun
2014/01/28,8.9,11.1,6.1,1.6,fog
2014/01/29,21.6,11.1,7.2,3.4,fog
2014/01/30,0.0,8.3,6.1,6.4,sun
2014/01/31,2.3,7.8,5.6,2.6,fog
2014/02/01,2.0,7.8,2.8,0.8,sun
2014/02/02,0.0,8.9,1.1,2.5,sun
2014/02/03,0.0,5.0,0.0,4.3,sun
2014/02/04,0.0,2.8,-2.1,4.7,sun
2014/02/05,0.0,-0.5,-5.5,6.6,sun
2014/02/06,0.0,-1.6,-6.0,4.5,sun
2014/02/07,0.0,3.3,-4.9,4.2,sun
2014/02/08,5.1,5.6,-0.5,4.6,fog
2014/02/09,0.5,3.9,0.0,2.4,fog
2014/02/10,18.3,10.0,2.2,4.7,fog
2014/02/11,17.0,12.2,5.6,3.8,fog
2014/02/12,4.6,12.2,7.2,6.4,fog
2014/02/13,1.8,12.8,7.8,6.3,fog
2014/02/14,9.4,11.7,6.1,6.4,fog
2014/02/15,11.7,11.1,5.0,5.1,fog
2014/02/16,26.4,9.4,3.9,7.9,fog
2014/02/17,14.5,8.3,4.4,5.5,fog
2014/02/18,15.2,8.9,5.0,6.2,fog
2014/02/19,1.0,8.3,3.9,6.0,sun
2014/02/20,3.0,10.0,5.6,6.9,fog
2014/02/21,2.8,6.7,3.9,2.9,fog
2014/02/22,2.5,5.6,2.8,3.1,fog
2014/02/23,6.1,7.2,3.9,2.6,fog
2014/02/24,13.0,6.7,3.3,3.2,fog
2014/02/25,0.3,12.2,3.9,4.5,fog
2014/02/26,0.0,13.9,5.6,2.5,sun
2014/02/27,0.0,12.8,4.4,2.3,sun
2014/02/28,0.0,14.4,4.4,5.9,sun
2014/03/01,0.5,7.2,4.4,4.7,sun
2014/03/02,19.1,11.1,2.8,5.7,fog
2014/03/03,10.7,14.4,8.9,5.1,fog
2014/03/04,16.5,13.9,7.8,3.9,fog
2014/03/05,46.7,15.6,10.6,3.9,fog
2014/03/06,3.0,13.3,10.0,6.2,fog
2014/03/07,0.0,15.6,8.9,4.2,sun
2014/03/08,32.3,12.8,6.7,2.7,fog
2014/03/09,4.3,15.0,9.4,4.3,fog
2014/03/10,18.8,12.2,6.1,2.2,fog
2014/03/11,0.0,14.4,4.4,2.3,fog
2014/03/12,0.0,16.1,3.3,1.9,fog
2014/03/13,0.5,13.9,5.0,2.5,fog
2014/03/14,6.9,14.4,8.3,6.1,fog
2014/03/15,8.1,16.7,4.4,3.0,fog
2014/03/16,27.7,10.6,4.4,3.8,fog
2014/03/17,0.3,10.0,2.8,3.2,fog
2014/03/18,0.0,10.0,3.3,1.6,sun
2014/03/19,0.5,11.1,3.3,5.1,sun
2014/03/20,0.0,11.1,1.7,3.0,sun
2014/03/21,0.0,10.6,2.8,3.8,sun
2014/03/22,0.0,11.1,1.1,1.8,sun
2014/03/23,0.0,12.8,4.4,3.3,sun
2014/03/24,0.0,18.9,2.8,2.2,sun
2014/03/25,4.1,13.9,6.7,4.4,fog
2014/03/26,3.6,11.1,5.6,2.4,fog
2014/03/27,0.3,12.2,6.7,2.8,fog
2014/03/28,22.1,11.7,7.2,3.9,fog
2014/03/29,14.0,11.7,7.2,5.1,fog
2014/03/30,0.0,11.1,5.0,5.1,sun
2014/03/31,0.0,15.6,2.2,3.8,sun
2014/04/01,0.0,14.4,6.7,2.8,sun
2014/04/02,0.0,14.4,5.6,4.2,sun
2014/04/03,2.5,13.3,6.1,3.9,sun
2014/04/04,0.0,12.8,6.1,4.7,sun
2014/04/05,4.6,11.7,7.8,4.3,fog
2014/04/06,0.0,13.9,8.3,2.6,sun
2014/04/07,0.0,21.1,9.4,2.5,sun
2014/04/08,4.6,15.6,8.3,4.2,fog
2014/04/09,0.0,14.4,6.7,2.9,sun
2014/04/10,0.0,15.0,6.7,3.6,sun
2014/04/11,0.0,17.2,5.0,2.8,sun
2014/04/12,0.0,16.1,7.8,4.4,sun
2014/04/13,0.0,20.6,5.6,3.1,sun
2014/04/14,0.0,20.0,5.6,2.6,sun
2014/04/15,0.5,14.4,7.8,4.0,sun
2014/04/16,10.9,11.1,8.9,4.6,fog
2014/04/17,18.5,11.7,7.2,4.7,fog
2014/04/18,0.0,14.4,5.6,3.8,sun
2014/04/19,13.7,11.7,5.6,4.7,fog
2014/04/20,0.0,15.6,5.6,2.7,sun
2014/04/21,5.1,17.2,7.8,2.5,fog
2014/04/22,14.2,12.2,5.0,4.2,fog
2014/04/23,8.9,11.7,6.1,5.0,fog
2014/04/24,12.4,13.9,6.1,5.3,fog
2014/04/25,0.0,14.4,5.6,2.3,sun
2014/04/26,3.3,15.0,5.6,3.9,sun
2014/04/27,6.9,11.1,6.1,5.8,fog
2014/04/28,0.0,16.1,4.4,2.6,sun
2014/04/29,0.0,25.0,9.4,2.3,sun
2014/04/30,0.0,27.8,9.4,3.9,sun
2014/05/01,0.0,29.4,11.1,3.0,sun
2014/05/02,0.0,18.3,10.6,4.7,sun
2014/05/03,33.3,15.0,8.9,3.4,fog
2014/05/04,16.0,14.4,8.9,4.2,fog
2014/05/05,5.1,15.6,9.4,3.8,fog
2014/05/06,0.0,16.7,8.3,2.6,sun
2014/05/07,0.0,18.3,7.2,1.7,sun
2014/05/08,13.7,13.9,9.4,3.4,fog
2014/05/09,2.0,13.3,7.2,5.6,sun
2014/05/10,0.5,15.6,7.2,2.1,fog
2014/05/11,0.0,18.9,8.3,1.7,sun
2014/05/12,0.0,24.4,9.4,2.7,sun
2014/05/13,0.0,26.7,12.8,3.8,sun
2014/05/14,0.0,27.8,13.3,3.3,sun
2014/05/15,0.0,26.7,12.8,3.0,sun
2014/05/16,0.0,20.0,11.7,4.1,sun
2014/05/17,0.0,20.0,11.7,3.2,sun
2014/05/18,0.0,20.0,10.6,3.2,sun
2014/05/19,0.0,21.1,10.0,2.2,sun
2014/05/20,0.0,22.2,10.0,2.7,sun
2014/05/21,0.0,20.0,10.6,1.7,sun
2014/05/22,0.0,24.4,11.7,2.5,sun
2014/05/23,3.8,20.0,12.8,4.0,fog
2014/05/24,0.0,18.3,11.1,2.4,sun
2014/05/25,5.6,15.0,10.6,1.4,fog
2014/05/26,0.0,18.3,11.1,4.5,sun
2014/05/27,0.0,20.0,10.0,2.5,sun
2014/05/28,0.0,18.9,10.0,3.4,sun
2014/05/29,0.0,18.9,11.1,4.3,sun
2014/05/30,0.0,20.6,8.9,4.5,sun
2014/05/31,0.0,23.3,10.0,2.2,sun
2014/06/01,0.0,22.2,10.6,2.3,sun
2014/06/02,0.0,23.3,11.1,2.4,sun
2014/06/03,0.0,18.3,11.1,3.2,sun
2014/06/04,0.0,19.4,10.0,2.6,sun
2014/06/05,0.0,22.2,10.0,2.4,sun
2014/06/06,0.0,25.0,10.6,3.2,sun
2014/06/07,0.0,24.4,13.3,3.1,sun
2014/06/08,0.0,23.3,12.2,2.1,sun
2014/06/09,0.0,21.1,13.3,3.6,sun
2014/06/10,0.0,20.0,12.2,2.9,sun
2014/06/11,0.0,23.9,11.1,2.7,sun
2014/06/12,1.8,21.7,12.2,4.0,sun
2014/06/13,6.4,15.6,11.1,5.0,fog
2014/06/14,0.0,17.8,11.7,3.2,sun
2014/06/15,0.5,18.3,10.0,3.6,fog
2014/06/16,3.6,17.8,8.9,2.4,fog
2014/06/17,1.3,17.8,10.0,3.0,fog
2014/06/18,0.0,18.9,11.1,2.7,sun
2014/06/19,0.8,25.6,11.7,3.7,sun
2014/06/20,0.3,20.0,10.0,3.4,sun
2014/06/21,0.0,22.2,10.6,3.6,sun
2014/06/22,0.0,25.0,11.1,2.7,sun
2014/06/23,0.0,25.0,13.3,2.5,sun
2014/06/24,0.0,24.4,14.4,2.5,sun
2014/06/25,0.0,26.1,13.9,2.4,sun
2014/06/26,0.0,21.1,14.4,4.1,sun
2014/06/27,1.8,21.1,13.9,4.5,fog
2014/06/28,2.3,20.0,13.3,4.3,fog
2014/06/29,0.0,20.6,12.8,3.2,sun
2014/06/30,0.0,25.6,12.8,4.4,sun
2014/07/01,0.0,34.4,15.6,3.5,sun
2014/07/02,0.0,27.2,14.4,3.6,sun
2014/07/03,0.0,21.7,13.9,3.1,sun
2014/07/04,0.0,23.9,13.9,3.6,sun
2014/07/05,0.0,24.4,13.3,2.2,fog
2014/07/06,0.0,28.9,15.0,3.0,sun
2014/07/07,0.0,27.2,17.8,4.1,fog
2014/07/08,0.0,30.0,15.6,3.5,sun
2014/07/09,0.0,26.7,13.9,2.3,sun
2014/07/10,0.0,28.9,12.8,2.2,fog
2014/07/11,0.0,31.1,15.0,2.2,sun
2014/07/12,0.0,32.2,16.7,2.2,sun
2014/07/13,0.0,29.4,15.0,2.6,rain
2014/07/14,0.0,27.8,15.0,2.8,sun
2014/07/15,0.0,31.1,13.9,2.3,sun
2014/07/16,0.0,31.1,14.4,2.4,sun
2014/07/17,0.0,26.7,13.9,3.7,sun
2014/07/18,0.0,23.9,11.7,2.8,sun
2014/07/19,0.0,25.6,15.0,5.4,fog
2014/07/20,0.0,19.4,14.4,2.8,sun
2014/07/21,0.0,23.9,13.3,2.2,sun
2014/07/22,0.3,21.1,13.3,1.1,fog
2014/07/23,19.3,18.9,13.3,3.3,sun
2014/07/24,0.0,20.6,12.8,4.7,sun
2014/07/25,0.0,22.8,12.2,2.7,sun
2014/07/26,0.0,26.1,13.3,3.6,sun
2014/07/27,0.0,28.3,15.0,4.1,sun
2014/07/28,0.0,30.6,15.0,3.7,sun
2014/07/29,0.0,30.0,15.6,2.8,sun
2014/07/30,0.0,29.4,14.4,3.4,sun
2014/07/31,0.0,30.6,17.8,4.1,sun
2014/08/01,0.0,28.9,15.0,3.3,sun
2014/08/02,0.5,29.4,15.6,1.7,sun
2014/08/03,0.0,31.7,14.4,2.6,sun
2014/08/04,0.0,32.8,16.1,2.6,sun
2014/08/05,0.0,25.0,13.9,2.7,sun
2014/08/06,0.0,26.1,15.0,2.2,fog
2014/08/07,0.0,25.6,13.3,2.4,fog
2014/08/08,0.0,25.6,13.3,2.9,sun
2014/08/09,0.0,27.2,15.6,4.1,sun
2014/08/10,0.0,30.6,13.9,3.4,sun
2014/08/11,0.5,35.6,17.8,2.6,rain
2014/08/12,12.7,27.2,17.2,3.1,fog
2014/08/13,21.6,23.3,15.0,2.7,fog
2014/08/14,0.0,21.1,17.2,0.6,sun
2014/08/15,1.0,24.4,16.7,1.5,fog
2014/08/16,0.0,25.6,15.6,2.2,sun
2014/08/17,0.0,27.8,15.0,2.8,sun
2014/08/18,0.0,29.4,15.6,3.3,sun
2014/08/19,0.0,27.2,15.6,2.4,sun
2014/08/20,0.0,21.7,13.9,3.6,sun
2014/08/21,0.0,21.1,11.1,1.7,sun
2014/08/22,0.0,23.9,13.3,2.9,sun
2014/08/23,0.0,27.8,13.9,2.0,sun
2014/08/24,0.0,25.0,13.3,2.3,sun
2014/08/25,0.0,28.9,14.4,2.0,sun
2014/08/26,0.0,31.1,15.6,1.8,sun
2014/08/27,0.0,28.9,16.1,1.6,sun
2014/08/28,0.0,23.3,14.4,2.3,sun
2014/08/29,0.0,22.8,15.0,3.4,sun
2014/08/30,8.4,17.8,15.0,2.2,fog
2014/08/31,1.3,21.1,13.9,1.9,fog
2014/09/01,0.0,23.3,12.8,2.5,sun
2014/09/02,3.0,20.0,13.9,4.3,fog
2014/09/03,0.0,20.6,12.8,2.7,sun
2014/09/04,0.0,23.9,11.1,3.1,fog
2014/09/05,0.0,27.8,13.9,6.5,fog
2014/09/06,0.0,32.2,15.0,2.9,sun
2014/09/07,0.0,28.3,13.3,2.1,sun
2014/09/08,0.0,21.1,13.3,2.8,sun
2014/09/09,0.0,21.7,13.3,2.3,sun
2014/09/10,0.0,22.2,12.2,3.9,sun
2014/09/11,0.0,24.4,12.8,5.3,sun
2014/09/12,0.0,24.4,12.8,5.9,sun
2014/09/13,0.0,28.3,10.0,4.2,sun
2014/09/14,0.0,30.0,11.7,1.8,sun
2014/09/15,0.0,30.6,12.2,1.2,sun
2014/09/16,0.0,22.2,13.9,2.8,sun
2014/09/17,0.5,22.8,14.4,2.3,sun
2014/09/18,0.3,19.4,15.0,3.1,fog
2014/09/19,0.0,23.9,16.1,2.8,sun
2014/09/20,0.0,24.4,14.4,4.4,fog
2014/09/21,0.0,26.1,12.8,3.0,sun
2014/09/22,0.3,22.2,15.0,2.1,fog
2014/09/23,18.3,18.9,14.4,2.5,fog
2014/09/24,20.3,18.9,14.4,2.7,fog
2014/09/25,4.3,21.7,14.4,2.5,fog
2014/09/26,8.9,20.0,13.9,3.3,fog
2014/09/27,0.0,20.6,11.7,3.2,fog
2014/09/28,0.0,18.9,12.2,2.0,fog
2014/09/29,0.8,16.7,11.1,3.5,fog
2014/09/30,0.0,19.4,12.2,2.6,sun
2014/10/01,0.0,18.3,11.1,2.1,sun
2014/10/02,0.0,19.4,10.0,2.0,sun
2014/10/03,0.0,22.2,8.9,1.0,sun
2014/10/04,0.0,21.7,12.2,1.2,sun
2014/10/05,0.0,23.9,11.7,1.4,fog
2014/10/06,0.0,25.6,13.3,2.5,fog
2014/10/07,0.0,18.9,13.9,1.0,fog
2014/10/08,0.0,20.6,12.8,1.8,fog
2014/10/09,0.0,17.2,11.1,1.0,fog
2014/10/10,0.3,18.3,10.0,3.8,fog
2014/10/11,7.4,18.3,11.7,3.5,rain
2014/10/12,0.0,17.8,11.7,2.1,sun
2014/10/13,7.6,21.1,10.0,3.1,fog
2014/10/14,7.1,16.7,11.7,2.2,fog
2014/10/15,8.6,16.1,11.7,4.7,fog
2014/10/16,0.0,20.6,11.1,3.3,sun
2014/10/17,3.3,16.7,11.7,3.0,fog
2014/10/18,15.0,19.4,13.9,1.9,fog
2014/10/19,0.0,22.2,12.8,3.2,sun
2014/10/20,11.7,16.1,12.2,3.1,fog
2014/10/21,1.0,16.1,11.7,4.7,sun
2014/10/22,32.0,15.6,11.7,5.0,fog
2014/10/23,9.4,14.4,8.3,4.6,sun
2014/10/24,4.1,14.4,8.9,3.2,sun
2014/10/25,6.1,16.7,8.3,5.4,fog
2014/10/26,1.5,12.8,7.8,5.0,fog
2014/10/27,0.8,15.6,6.7,2.4,sun
2014/10/28,12.7,15.0,9.4,3.9,fog
2014/10/29,0.5,16.7,11.7,3.1,fog
2014/10/30,25.4,15.6,11.1,3.2,fog
2014/10/31,17.0,12.8,8.3,2.0,fog
2014/11/01,0.0,11.1,7.2,1.2,fog
2014/11/02,1.8,13.3,7.2,2.9,fog
2014/11/03,10.9,13.9,11.1,4.8,fog
2014/11/04,4.1,14.4,10.6,3.3,fog
2014/11/05,4.8,15.0,10.6,2.1,fog
2014/11/06,4.1,16.7,10.6,6.7,fog
2014/11/07,0.0,14.4,7.2,2.3,sun
2014/11/08,0.0,12.8,3.9,0.8,fog
2014/11/09,5.1,13.3,7.8,3.0,fog
2014/11/10,0.0,11.1,5.6,3.9,sun
2014/11/11,0.0,7.8,1.1,7.7,sun
2014/11/12,0.0,6.7,0.0,7.6,sun
2014/11/13,0.0,7.2,0.6,4.7,sun
2014/11/14,0.0,7.2,-2.1,4.5,sun
2014/11/15,0.0,8.3,-1.6,4.2,sun
2014/11/16,0.0,9.4,-2.1,4.2,sun
2014/11/17,0.0,10.6,-2.1,1.9,sun
2014/11/18,0.0,7.2,-0.5,0.9,sun
2014/11/19,0.0,11.1,2.2,1.9,sun
2014/11/20,3.6,11.1,5.6,2.1,fog
2014/11/21,15.2,11.1,8.3,4.7,fog
2014/11/22,0.5,9.4,6.7,4.7,sun
2014/11/23,11.9,12.8,5.6,5.1,fog
2014/11/24,1.3,11.7,4.4,3.8,fog
2014/11/25,18.3,13.9,9.4,4.5,fog
2014/11/26,0.3,15.0,12.2,3.9,sun
2014/11/27,3.3,14.4,11.7,6.6,fog
2014/11/28,34.3,12.8,3.3,5.8,fog
2014/11/29,3.6,4.4,-4.3,5.3,fog
2014/11/30,0.0,2.8,-4.9,4.4,sun
2014/12/01,0.0,4.4,-3.2,2.2,sun
2014/12/02,0.0,5.6,-3.2,5.7,fog
2014/12/03,0.0,10.0,0.0,3.6,sun
2014/12/04,0.8,8.3,3.9,1.1,fog
2014/12/05,3.0,12.8,6.7,3.1,fog
2014/12/06,7.4,11.7,7.8,3.6,fog
2014/12/07,0.0,14.4,6.1,2.8,sun
2014/12/08,9.1,14.4,8.9,4.2,fog
2014/12/09,9.9,16.1,10.6,5.1,fog
2014/12/10,13.0,18.9,10.0,6.7,fog
2014/12/11,6.9,14.4,8.3,6.4,fog
2014/12/12,0.0,11.1,7.2,3.7,sun
2014/12/13,0.0,10.0,3.9,1.1,fog
2014/12/14,0.0,12.8,1.7,3.5,fog
2014/12/15,0.0,12.2,6.7,5.9,sun
2014/12/16,0.0,10.0,8.3,4.0,sun
2014/12/17,2.8,8.9,6.1,1.6,fog
2014/12/18,13.0,9.4,6.7,3.1,fog
2014/12/19,3.0,11.1,7.2,4.3,sun
2014/12/20,19.6,12.8,6.7,5.5,fog
2014/12/21,0.0,12.8,10.0,5.2,sun
2014/12/22,0.0,10.6,6.1,1.5,sun
2014/12/23,20.6,12.2,5.0,3.8,fog
2014/12/24,5.3,7.2,3.9,1.8,fog
2014/12/25,0.0,7.8,2.8,2.2,fog
2014/12/26,0.0,5.6,1.7,1.2,fog
2014/12/27,3.3,9.4,4.4,4.9,fog
2014/12/28,4.1,6.7,2.8,1.8,fog
2014/12/29,0.0,6.1,0.6,4.3,fog
2014/12/30,0.0,3.3,-2.1,3.6,sun
2014/12/31,0.0,3.3,-2.7,3.0,sun
2015/01/01,0.0,5.6,-3.2,1.2,sun
2015/01/02,1.5,5.6,0.0,2.3,fog
2015/01/03,0.0,5.0,1.7,1.7,fog
2015/01/04,10.2,10.6,3.3,4.5,fog
2015/01/05,8.1,12.2,9.4,6.4,fog
2015/01/06,0.0,12.2,6.1,1.3,fog
2015/01/07,0.0,7.8,5.6,1.6,fog
2015/01/08,0.0,7.8,1.7,2.6,fog
2015/01/09,0.3,10.0,3.3,0.6,fog
2015/01/10,5.8,7.8,6.1,0.5,fog
2015/01/11,1.5,9.4,7.2,1.1,fog
2015/01/12,0.0,11.1,4.4,1.6,fog
2015/01/13,0.0,9.4,2.8,2.7,fog
2015/01/14,0.0,6.1,0.6,2.8,fog
2015/01/15,9.7,7.8,1.1,3.2,fog
2015/01/16,0.0,11.7,5.6,4.5,fog
2015/01/17,26.2,13.3,3.3,2.8,fog
2015/01/18,21.3,13.9,7.2,6.6,rain
2015/01/19,0.5,10.0,6.1,2.8,sun
2015/01/20,0.0,10.0,3.3,3.0,fog
2015/01/21,0.0,7.2,-0.5,1.3,fog
2015/01/22,0.8,9.4,6.1,1.3,fog
2015/01/23,5.8,12.2,8.3,2.6,fog
2015/01/24,0.5,14.4,11.1,3.3,fog
2015/01/25,0.0,17.2,7.2,1.4,fog
2015/01/26,0.0,16.1,6.1,2.2,fog
2015/01/27,0.8,11.1,8.3,2.0,fog
2015/01/28,0.0,12.2,5.0,1.8,fog
2015/01/29,0.0,12.2,3.3,2.9,sun
2015/01/30,0.0,8.3,1.1,0.8,fog
2015/01/31,0.0,7.2,3.3,1.9,fog
2015/02/01,1.5,9.4,4.4,2.6,fog
2015/02/02,7.4,11.1,5.0,4.0,fog
2015/02/03,1.3,10.0,5.6,1.9,fog
2015/02/04,8.4,10.6,4.4,1.7,fog
2015/02/05,26.2,13.3,8.3,4.6,fog
2015/02/06,17.3,14.4,10.0,4.5,fog
2015/02/07,23.6,12.2,9.4,4.6,fog
2015/02/08,3.6,15.0,8.3,3.9,fog
2015/02/09,6.1,13.3,8.3,2.5,fog
2015/02/10,0.3,12.8,8.3,4.0,fog
2015/02/11,0.0,12.8,5.6,1.0,fog
2015/02/12,1.0,16.7,9.4,2.1,sun
2015/02/13,0.0,15.6,6.7,1.7,fog
2015/02/14,0.3,14.4,6.7,2.9,fog
2015/02/15,0.0,12.2,3.9,4.8,sun
2015/02/16,0.0,15.0,5.6,6.6,fog
2015/02/17,0.0,16.1,4.4,4.0,sun
2015/02/18,0.0,12.2,4.4,2.6,sun
2015/02/19,4.6,10.6,8.3,2.2,fog
2015/02/20,0.8,11.1,7.2,0.9,fog
2015/02/21,0.0,12.2,5.6,4.5,sun
2015/02/22,0.0,11.7,3.3,4.2,sun
2015/02/23,0.0,12.8,0.6,1.4,sun
2015/02/24,0.0,11.1,2.2,1.5,sun
2015/02/25,4.1,10.0,6.7,1.0,fog
2015/02/26,9.4,11.7,7.8,1.4,fog
2015/02/27,18.3,10.0,6.7,4.0,fog
2015/02/28,0.0,12.2,3.3,5.1,sun
2015/03/01,0.0,11.1,1.1,2.2,sun
2015/03/02,0.0,11.1,4.4,4.8,sun
2015/03/03,0.0,10.6,0.0,2.1,sun
2015/03/04,0.0,12.8,-0.5,1.8,sun
2015/03/05,0.0,13.3,2.8,1.3,sun
2015/03/06,0.0,15.0,3.3,1.4,sun
2015/03/07,0.0,16.7,3.9,2.7,fog
2015/03/08,0.0,17.2,3.9,1.7,fog
2015/03/09,0.0,14.4,4.4,1.8,fog
2015/03/10,0.8,13.3,5.0,2.6,fog
2015/03/11,2.5,14.4,8.9,3.1,fog
2015/03/12,0.0,17.8,9.4,3.2,sun
2015/03/13,2.0,17.2,7.8,2.2,sun
2015/03/14,17.0,13.9,9.4,3.8,fog
2015/03/15,55.9,10.6,6.1,4.2,fog
2015/03/16,1.0,13.9,6.1,3.0,fog
2015/03/17,0.8,13.3,4.4,2.6,sun
2015/03/18,0.0,15.6,7.2,2.5,sun
2015/03/19,0.0,15.6,8.3,1.9,sun
2015/03/20,4.1,13.9,8.9,1.9,sun
2015/03/21,3.8,13.3,8.3,4.7,fog
2015/03/22,1.0,11.7,6.1,2.3,sun
2015/03/23,8.1,11.1,5.6,2.8,fog
2015/03/24,7.6,12.8,6.1,3.9,fog
2015/03/25,5.1,14.4,7.2,4.4,fog
2015/03/26,0.0,20.6,10.0,2.2,sun
2015/03/27,1.0,18.3,8.9,4.0,fog
2015/03/28,0.0,15.6,9.4,5.7,sun
2015/03/29,0.0,15.6,8.9,3.0,sun
2015/03/30,1.8,17.8,10.6,2.9,fog
2015/03/31,1.0,12.8,6.1,4.2,fog
2015/04/01,5.1,12.8,5.6,3.2,rain
2015/04/02,0.0,13.3,5.6,2.4,sun
2015/04/03,1.5,11.1,5.0,3.6,fog
2015/04/04,0.0,12.8,3.9,1.7,sun
2015/04/05,0.0,16.7,2.8,2.4,sun
2015/04/06,1.0,13.9,6.7,3.5,sun
2015/04/07,0.5,14.4,6.7,3.9,sun
2015/04/08,0.0,17.2,6.1,1.7,sun
2015/04/09,0.0,17.2,6.1,2.3,sun
2015/04/10,10.9,13.9,7.8,4.6,fog
2015/04/11,0.0,11.7,5.6,6.5,sun
2015/04/12,0.0,13.3,5.6,3.6,sun
2015/04/13,14.0,11.7,3.9,3.6,fog
2015/04/14,3.3,11.7,2.8,3.3,sun
2015/04/15,0.0,13.9,3.3,2.4,sun
2015/04/16,0.0,17.8,3.9,3.1,sun
2015/04/17,0.0,18.9,6.1,3.6,sun
2015/04/18,0.0,18.9,8.3,3.9,sun
2015/04/19,0.0,21.1,8.3,3.6,sun
2015/04/20,0.0,22.8,7.8,2.6,sun
2015/04/21,5.6,17.2,6.7,3.4,fog
2015/04/22,0.0,15.6,5.0,2.3,sun
2015/04/23,3.0,12.2,6.7,4.1,fog
2015/04/24,3.3,12.2,6.1,5.0,fog
2015/04/25,1.3,13.3,5.6,3.0,fog
2015/04/26,0.0,15.6,4.4,2.7,fog
2015/04/27,0.3,25.0,10.6,2.3,fog
2015/04/28,1.8,15.6,8.9,4.3,fog
2015/04/29,0.0,16.1,7.2,4.7,sun
2015/04/30,0.0,17.2,7.8,2.1,sun
2015/05/01,0.0,18.3,8.9,3.7,sun
2015/05/02,0.0,18.3,7.8,3.7,sun
2015/05/03,0.0,20.6,7.8,2.6,sun
2015/05/04,0.0,17.2,7.2,5.2,sun
2015/05/05,6.1,14.4,7.2,5.1,fog
2015/05/06,0.0,16.7,7.2,2.6,fog
2015/05/07,0.0,20.6,6.1,3.0,sun
2015/05/08,0.0,23.9,8.3,3.0,sun
2015/05/09,0.0,26.7,9.4,2.6,sun
2015/05/10,0.0,19.4,11.1,2.8,sun
2015/05/11,0.0,13.9,10.0,2.5,fog
2015/05/12,4.3,15.6,10.6,3.3,fog
2015/05/13,4.1,12.2,10.0,2.8,fog
2015/05/14,0.3,17.8,9.4,2.0,fog
2015/05/15,0.0,20.0,9.4,2.8,fog
2015/05/16,0.0,15.6,11.1,3.0,sun
2015/05/17,0.0,19.4,10.6,2.1,sun
2015/05/18,0.0,25.6,12.2,3.0,sun
2015/05/19,0.0,21.7,11.7,2.6,sun
2015/05/20,0.0,23.3,10.6,1.8,fog
2015/05/21,0.0,25.6,11.7,2.1,sun
2015/05/22,0.0,16.7,11.7,3.7,sun
2015/05/23,0.0,16.1,11.7,2.6,sun
2015/05/24,0.0,17.8,11.1,2.7,sun
2015/05/25,0.0,15.6,11.1,2.7,sun
2015/05/26,0.0,21.7,11.7,2.1,sun
2015/05/27,0.0,24.4,11.7,1.8,sun
2015/05/28,0.0,27.8,12.2,2.1,sun
2015/05/29,0.0,26.1,12.8,2.5,sun
2015/05/30,0.0,22.8,10.0,2.5,sun
2015/05/31,0.0,25.0,11.7,2.2,sun
2015/06/01,4.6,16.1,11.7,3.4,fog
2015/06/02,0.5,17.8,12.8,5.0,sun
2015/06/03,0.0,20.0,11.7,3.0,sun
2015/06/04,0.0,22.8,11.7,3.9,sun
2015/06/05,0.0,26.7,12.8,4.3,sun
2015/06/06,0.0,29.4,13.3,2.6,sun
2015/06/07,0.0,31.1,15.6,3.2,sun
2015/06/08,0.0,30.6,14.4,3.5,sun
2015/06/09,0.0,28.9,14.4,2.7,sun
2015/06/10,0.0,25.6,11.1,3.0,sun
2015/06/11,0.0,24.4,11.1,3.5,sun
2015/06/12,0.0,20.0,11.7,2.3,sun
2015/06/13,0.0,23.9,9.4,2.6,sun
2015/06/14,0.0,27.8,11.7,3.7,sun
2015/06/15,0.0,30.0,16.1,3.5,drizzle
2015/06/16,0.0,22.8,11.1,3.0,sun
2015/06/17,0.0,25.0,11.1,3.1,sun
2015/06/18,0.0,24.4,13.9,3.0,sun
2015/06/19,0.5,23.9,13.3,3.2,fog
2015/06/20,0.0,25.0,12.8,4.3,sun
2015/06/21,0.0,25.6,13.9,3.4,sun
2015/06/22,0.0,25.0,12.8,2.4,sun
2015/06/23,0.0,26.1,11.7,2.4,sun
2015/06/24,0.0,25.6,16.1,2.6,sun
2015/06/25,0.0,30.6,15.6,3.0,sun
2015/06/26,0.0,31.7,17.8,4.7,sun
2015/06/27,0.0,33.3,17.2,3.9,sun
2015/06/28,0.3,28.3,18.3,2.1,sun
2015/06/29,0.0,28.9,17.2,2.7,sun
2015/06/30,0.0,30.6,15.0,3.4,fog
2015/07/01,0.0,32.2,17.2,4.3,sun
2015/07/02,0.0,33.9,17.8,3.4,sun
2015/07/03,0.0,33.3,17.8,2.6,sun
2015/07/04,0.0,33.3,15.0,2.9,sun
2015/07/05,0.0,32.8,16.7,2.1,sun
2015/07/06,0.0,29.4,15.6,3.2,drizzle
2015/07/07,0.0,27.2,13.9,2.4,sun
2015/07/08,0.0,30.0,14.4,1.9,drizzle
2015/07/09,0.0,28.9,14.4,3.4,sun
2015/07/10,0.0,21.1,16.7,3.7,sun
2015/07/11,0.0,22.2,16.7,3.0,sun
2015/07/12,0.0,26.1,16.7,2.2,sun
2015/07/13,0.0,25.6,16.1,3.1,sun
2015/07/14,0.0,27.8,16.1,3.3,sun
2015/07/15,0.0,26.1,14.4,3.2,sun
2015/07/16,0.0,26.1,15.0,2.8,sun
2015/07/17,0.0,27.8,13.9,3.3,sun
2015/07/18,0.0,33.3,17.8,3.4,sun
2015/07/19,0.0,35.0,17.2,3.3,sun
2015/07/20,0.0,26.7,16.7,3.9,sun
2015/07/21,0.0,23.9,15.0,2.4,sun
2015/07/22,0.0,23.9,13.9,2.8,sun
2015/07/23,0.0,26.1,14.4,1.9,sun
2015/07/24,0.3,22.8,13.3,3.8,fog
2015/07/25,0.0,21.1,14.4,2.4,fog
2015/07/26,2.0,22.2,13.9,2.6,fog
2015/07/27,0.0,23.3,12.2,1.9,fog
2015/07/28,0.0,27.8,13.9,3.4,sun
2015/07/29,0.0,32.2,14.4,3.8,sun
2015/07/30,0.0,34.4,17.2,3.5,sun
2015/07/31,0.0,34.4,17.8,2.6,sun
2015/08/01,0.0,33.3,15.6,3.1,sun
2015/08/02,0.0,30.6,16.1,2.0,sun
2015/08/03,0.0,28.3,17.2,2.3,sun
2015/08/04,0.0,26.1,14.4,2.6,fog
2015/08/05,0.0,23.3,12.2,3.5,sun
2015/08/06,0.0,25.0,15.0,2.9,sun
2015/08/07,0.0,28.3,15.6,3.7,sun
2015/08/08,0.0,25.0,15.6,3.6,fog
2015/08/09,0.0,28.3,15.0,2.2,sun
2015/08/10,0.0,28.9,16.1,2.4,sun
2015/08/11,0.0,30.0,16.7,4.4,sun
2015/08/12,7.6,28.3,16.7,2.7,rain
2015/08/13,0.0,28.3,15.6,2.2,sun
2015/08/14,30.5,18.3,15.0,5.2,rain
2015/08/15,0.0,21.7,13.9,3.7,sun
2015/08/16,0.0,25.0,14.4,3.7,sun
2015/08/17,0.0,27.2,13.9,3.0,sun
2015/08/18,0.0,30.0,15.0,3.0,sun
2015/08/19,0.0,31.7,16.1,2.1,drizzle
2015/08/20,2.0,22.8,14.4,4.2,fog
2015/08/21,0.0,22.2,14.4,2.6,sun
2015/08/22,0.0,26.7,12.2,2.5,drizzle
2015/08/23,0.0,27.8,13.9,1.8,drizzle
2015/08/24,0.0,23.9,12.2,2.3,sun
2015/08/25,0.0,25.6,12.2,3.4,sun
2015/08/26,0.0,28.3,13.9,1.7,sun
2015/08/27,0.0,29.4,14.4,2.1,sun
2015/08/28,0.5,23.3,15.6,2.6,fog
2015/08/29,32.5,22.2,13.3,5.8,fog
2015/08/30,10.2,20.0,12.8,4.7,fog
2015/08/31,0.0,18.9,16.1,5.8,sun
2015/09/01,5.8,19.4,13.9,5.0,fog
2015/09/02,0.0,19.4,11.1,3.8,sun
2015/09/03,0.0,18.3,10.6,2.9,sun
2015/09/04,0.0,18.3,10.0,2.9,sun
2015/09/05,0.3,20.6,8.9,3.5,sun
2015/09/06,5.3,16.1,11.7,2.4,fog
2015/09/07,0.3,21.1,13.3,1.5,fog
2015/09/08,0.0,22.8,13.3,2.4,sun
2015/09/09,0.0,24.4,13.9,3.3,sun
2015/09/10,0.0,25.0,14.4,3.6,fog
2015/09/11,0.0,27.2,15.0,3.1,sun
2015/09/12,0.0,26.7,14.4,2.1,sun
2015/09/13,0.5,20.6,12.8,3.0,fog
2015/09/14,0.0,16.7,10.6,3.4,sun
2015/09/15,0.0,17.8,10.0,2.8,sun
2015/09/16,1.0,20.0,10.0,1.9,sun
2015/09/17,1.8,18.3,12.8,3.8,fog
2015/09/18,0.0,19.4,12.8,2.6,sun
2015/09/19,0.0,21.1,14.4,4.3,sun
2015/09/20,4.1,22.8,12.2,6.8,fog
2015/09/21,0.0,18.3,9.4,2.7,fog
2015/09/22,0.0,18.9,7.8,2.0,sun
2015/09/23,0.0,20.6,8.3,1.8,sun
2015/09/24,0.0,22.2,11.1,2.5,fog
2015/09/25,2.0,15.6,12.8,2.6,fog
2015/09/26,0.0,18.3,10.0,2.7,sun
2015/09/27,0.0,17.8,7.2,3.8,sun
2015/09/28,0.0,21.1,9.4,5.1,sun
2015/09/29,0.0,21.7,8.9,1.9,sun
2015/09/30,0.0,18.3,10.0,1.3,fog
2015/10/01,0.0,21.1,9.4,1.3,fog
2015/10/02,0.0,15.6,10.0,2.9,fog
2015/10/03,0.0,19.4,11.1,4.8,sun
2015/10/04,0.0,22.8,10.0,3.7,sun
2015/10/05,0.0,23.3,9.4,1.6,sun
2015/10/06,0.0,18.3,10.0,2.6,drizzle
2015/10/07,9.9,16.1,13.9,2.2,fog
2015/10/08,0.0,18.9,13.3,1.1,fog
2015/10/09,0.3,19.4,12.2,2.6,fog
2015/10/10,28.7,21.1,13.3,4.7,fog
2015/10/11,0.0,17.8,10.6,2.6,sun
2015/10/12,4.6,18.3,10.6,2.8,fog
2015/10/13,1.3,16.7,9.4,3.2,fog
2015/10/14,0.0,15.0,10.0,5.0,fog
2015/10/15,0.0,21.1,9.4,3.4,fog
2015/10/16,0.0,20.0,8.9,1.3,sun
2015/10/17,0.3,19.4,11.7,1.3,fog
2015/10/18,3.8,15.0,12.8,2.0,fog
2015/10/19,0.3,17.2,12.2,2.6,fog
2015/10/20,0.0,17.8,10.6,1.8,fog
2015/10/21,0.0,16.1,8.3,1.3,fog
2015/10/22,0.0,16.1,8.9,2.7,fog
2015/10/23,0.0,12.8,7.2,2.6,fog
2015/10/24,0.0,15.0,8.9,2.9,fog
2015/10/25,8.9,19.4,8.9,3.4,rain
2015/10/26,6.9,12.2,10.0,4.6,fog
2015/10/27,0.0,16.1,7.8,1.7,fog
2015/10/28,3.3,13.9,11.1,2.8,fog
2015/10/29,1.8,15.0,12.2,4.7,fog
2015/10/30,19.3,17.2,11.7,6.7,fog
2015/10/31,33.0,15.6,11.7,7.2,fog
2015/11/01,26.2,12.2,8.9,6.0,fog
2015/11/02,0.3,11.1,7.2,2.8,fog
2015/11/03,0.8,10.6,5.0,1.4,fog
2015/11/04,0.0,10.0,3.3,2.2,sun
2015/11/05,1.3,11.7,7.8,2.3,fog
2015/11/06,0.0,15.6,8.3,2.7,fog
2015/11/07,12.7,12.2,9.4,3.0,fog
2015/11/08,6.6,11.1,7.8,1.8,fog
2015/11/09,3.3,10.0,5.0,1.3,fog
2015/11/10,1.3,11.1,3.9,3.9,fog
2015/11/11,1.5,11.1,6.1,4.6,sun
2015/11/12,9.9,11.1,5.0,5.1,fog
2015/11/13,33.5,13.3,9.4,6.5,fog
2015/11/14,47.2,9.4,6.1,4.5,fog
2015/11/15,22.4,8.9,2.2,4.1,fog
2015/11/16,2.0,8.9,1.7,4.0,fog
2015/11/17,29.5,13.3,6.7,8.0,fog
2015/11/18,1.5,8.9,3.3,3.8,sun
2015/11/19,2.0,8.9,2.8,4.2,sun
2015/11/20,0.0,8.3,0.6,4.0,fog
2015/11/21,0.0,8.9,0.6,4.7,sun
2015/11/22,0.0,10.0,1.7,3.1,fog
2015/11/23,3.0,6.7,0.0,1.3,fog
2015/11/24,7.1,6.7,2.8,4.5,fog
2015/11/25,0.0,7.2,0.0,5.7,sun
2015/11/26,0.0,9.4,-1.0,4.3,sun
2015/11/27,0.0,9.4,-1.6,3.0,sun
2015/11/28,0.0,7.2,-2.7,1.0,sun
2015/11/29,0.0,1.7,-2.1,0.9,fog
2015/11/30,0.5,5.6,-3.8,1.7,fog
2015/12/01,12.2,10.0,3.9,3.5,fog
2015/12/02,2.5,10.6,4.4,5.0,fog
2015/12/03,12.7,15.6,7.8,5.9,fog
2015/12/04,2.0,10.6,6.1,4.7,fog
2015/12/05,15.7,10.0,6.1,4.0,fog
2015/12/06,11.2,12.8,7.2,5.9,fog
2015/12/07,27.4,11.1,8.3,3.4,fog
2015/12/08,54.1,15.6,10.0,6.2,fog
2015/12/09,13.5,12.2,7.8,6.3,fog
2015/12/10,9.4,11.7,6.1,7.5,fog
2015/12/11,0.3,9.4,4.4,2.8,sun
2015/12/12,16.0,8.9,5.6,5.6,fog
2015/12/13,1.3,7.8,6.1,6.1,sun
2015/12/14,0.0,7.8,1.7,1.7,sun
2015/12/15,1.5,6.7,1.1,2.9,fog
2015/12/16,3.6,6.1,2.8,2.3,fog
2015/12/17,21.8,6.7,3.9,6.0,fog
2015/12/18,18.5,8.9,4.4,5.1,fog
2015/12/19,0.0,8.3,2.8,4.1,fog
2015/12/20,4.3,7.8,4.4,6.7,fog
2015/12/21,27.4,5.6,2.8,4.3,fog
2015/12/22,4.6,7.8,2.8,5.0,fog
2015/12/23,6.1,5.0,2.8,7.6,fog
2015/12/24,2.5,5.6,2.2,4.3,fog
2015/12/25,5.8,5.0,2.2,1.5,fog
2015/12/26,0.0,4.4,0.0,2.5,sun
2015/12/27,8.6,4.4,1.7,2.9,fog
2015/12/28,1.5,5.0,1.7,1.3,fog
2015/12/29,0.0,7.2,0.6,2.6,fog
2015/12/30,0.0,5.6,-1.0,3.4,sun
2015/12/31,0.0,5.6,-2.1,3.5,sun
`},m={examples:s,files:l};export{m as default,s as examples,l as files};
