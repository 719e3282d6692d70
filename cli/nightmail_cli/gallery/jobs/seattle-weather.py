days = data.assign(date=pd.to_datetime(data["date"]))
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
